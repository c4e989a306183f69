#!/usr/bin/env bash
# Assembles walk.asm into walk.bin, or into the file that is named. Needs nasm (Debian: apt-get install nasm).
set -euo pipefail
folder="$(cd "$(dirname "$0")" && pwd)"
nasm -f bin -o "${1:-$folder/walk.bin}" "$folder/walk.asm"
