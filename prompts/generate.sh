#!/bin/sh
# Makes the built-in recordings from text/*.txt: 16 kHz, 16 bit, mono. Run by "make prompts"; the results are committed.
#
# Needs, from Debian: flite sox open-jtalk open-jtalk-mecab-naist-jdic (main) and hts-voice-nitech-jp-atr503-m001
# (contrib). Nothing of this is needed to build or run telgate.
set -eu
export SOX_OPTS=-R # the same dither every time
cd "$(dirname "$0")"
dictionary=/var/lib/mecab/dic/open-jtalk/naist-jdic
voice=/usr/share/hts-voice/nitech-jp-atr503-m001/nitech_jp_atr503_m001.htsvoice
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The attention tone before an alert: two rising notes, 0.5 s. Neither is a DTMF, fax or ringing frequency.
note() {
  sox -n -r 16000 -b 16 -c 1 "$1" synth 0.22 sine "$2" fade t 0.01 0.22 0.02 gain -14 pad 0 "$3"
}
note "$work/t1.wav" 587 0.04
note "$work/t2.wav" 784 0.02
sox "$work/t1.wav" "$work/t2.wav" "$work/tone.wav"

# Speech: high-pass, 16 kHz, silence at head and tail trimmed to 60 ms, compressed for handsets, peak below -6 dBFS.
polish() {
  sox "$1" -r 16000 -c 1 -b 16 "$2" gain -9 highpass 200 \
    silence 1 0.02 -50d reverse silence 1 0.02 -50d reverse pad 0.06 0.06 \
    compand 0.01,0.15 6:-60,-60,-40,-24,-20,-14,0,-9 0 -90 0.02 norm -6
}

while IFS="$(printf '\t')" read -r name text; do
  printf '%s\n' "$text" >"$work/in.txt"
  flite -voice slt -f "$work/in.txt" -o "$work/raw.wav"
  polish "$work/raw.wav" "wav/en/$name.wav"
done <text/en.txt

while IFS="$(printf '\t')" read -r name text; do
  printf '%s\n' "$text" >"$work/in.txt"
  open_jtalk -x "$dictionary" -m "$voice" -r 1.05 -ow "$work/raw.wav" "$work/in.txt"
  polish "$work/raw.wav" "wav/ja/$name.wav"
done <text/ja.txt

for lang in en ja; do
  sox "$work/tone.wav" "wav/$lang/alert.wav" "$work/alert.wav"
  cp "$work/alert.wav" "wav/$lang/alert.wav"
done
