/* The floor under the pacer: STREAMS connected UDP sockets, plain send() of 172 bytes, 50 a second each, in slots of 2 ms
 * as package media has them. CPU time is this process' own, by getrusage, after a warm-up.
 *
 * usage: floor STREAMS MILLISECONDS PORT...   (of 127.0.0.1; stream i sends to port i modulo their number)
 * prints: PACKETS CPU_MICROSECONDS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { slots = 10, slot_ns = 2000000, packet_bytes = 172, warm_up_slots = 100 };

static long cpu_us(void) {
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000L + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static long now_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(int argc, char **argv) {
	if (argc < 4) {
		fprintf(stderr, "usage: floor STREAMS MILLISECONDS PORT...\n");
		return 2;
	}
	int streams = atoi(argv[1]);
	long turns = warm_up_slots + atol(argv[2]) / 2;
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	int *fd = calloc(streams, sizeof *fd);
	unsigned char (*packet)[packet_bytes] = calloc(streams, sizeof *packet);
	for (int i = 0; i < streams; i++) {
		struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[3 + i % (argc - 3)]))};
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd[i] = socket(AF_INET, SOCK_DGRAM, 0);
		if (fd[i] < 0 || connect(fd[i], (struct sockaddr *)&to, sizeof to) != 0) {
			perror("floor");
			return 1;
		}
		packet[i][0] = 0x80;
		memcpy(packet[i] + 8, &i, sizeof i);
	}
	long sent = 0, cpu = 0, at = now_ns();
	for (long turn = 0; turn < turns; turn++) {
		if (turn == warm_up_slots) {
			sent = 0;
			cpu = cpu_us();
		}
		for (int i = turn % slots; i < streams; i += slots) {
			unsigned seq = turn / slots, stamp = htonl(seq * 160);
			packet[i][2] = seq >> 8;
			packet[i][3] = seq;
			memcpy(packet[i] + 4, &stamp, sizeof stamp);
			if (send(fd[i], packet[i], packet_bytes, MSG_DONTWAIT | MSG_NOSIGNAL) == packet_bytes)
				sent++;
		}
		at += slot_ns;
		struct timespec next = {at / 1000000000L, at % 1000000000L};
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) != 0)
			;
	}
	printf("%ld %ld\n", sent, cpu_us() - cpu);
	return 0;
}
