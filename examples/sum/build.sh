#!/usr/bin/env bash
# Assembles sum.asm into sum.elf, or into the file that is named. Needs nasm and ld (Debian: apt-get install nasm binutils).
set -euo pipefail
folder="$(cd "$(dirname "$0")" && pwd)"
object="$(mktemp)"
trap 'rm -f "$object"' EXIT
nasm -f elf64 -o "$object" "$folder/sum.asm"
ld -m elf_x86_64 -n --no-warn-rwx-segments -Ttext=0x100000 -e start -o "${1:-$folder/sum.elf}" "$object"
