/* Opens or seals RTP packets with libsrtp, for libsrtp_test.go: libsrtp SUITE open|seal MASTERHEX; a packet in hex on each line
 * of stdin, its other form on stdout, "-" where libsrtp refuses. */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <string.h>

static int unhex(const char *s, unsigned char *out, int room) {
  int n = 0;
  unsigned b;
  for (; n < room && sscanf(s, "%2x", &b) == 1; s += 2) out[n++] = b;
  return n;
}

int main(int argc, char **argv) {
  unsigned char key[64] = {0};
  _Alignas(8) unsigned char packet[2048];
  char line[4096];
  srtp_policy_t policy = {0};
  srtp_t session;
  if (argc != 4 || srtp_init()) return 2;
  int seal = !strcmp(argv[2], "seal");
  unhex(argv[3], key, sizeof key);
  if (!strcmp(argv[1], "AEAD_AES_128_GCM")) {
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
  } else {
    srtp_crypto_policy_set_rtp_default(&policy.rtp);
    srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    if (!strcmp(argv[1], "AES_CM_128_HMAC_SHA1_32")) srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
  }
  policy.ssrc.type = seal ? ssrc_any_outbound : ssrc_any_inbound;
  policy.key = key;
  policy.window_size = 128;
  if (srtp_create(&session, &policy)) return 3;
  while (fgets(line, sizeof line, stdin)) {
    int n = unhex(line, packet, 1600);
    if (seal ? srtp_protect(session, packet, &n) : srtp_unprotect(session, packet, &n)) {
      printf("-\n");
      continue;
    }
    for (int i = 0; i < n; i++) printf("%02x", packet[i]);
    printf("\n");
  }
  return 0;
}
