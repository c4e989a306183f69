// The way from real-address mode through protected mode to 64-bit mode, as boot code takes it: real machine code.
import { describe, expect, it } from 'vitest';
import { rawImage } from '../../src/boot/boot-image.js';
import { createMachine } from '../../src/machine/machine.js';
import { hex } from '../support/booted-machine.js';

const LOAD = 0x7c00;

/** Bytes with the instruction that each line encodes. */
const BOOT_CODE = `
  7c00 fa                   cli
  7c01 31 c0                xor ax, ax
  7c03 8e d8                mov ds, ax
  7c05 8e d0                mov ss, ax
  7c07 bc 00 70             mov sp, 7000h
  7c0a e8 12 00             call 7c1fh
  7c0d 0f 01 16 b8 7c       lgdt [7cb8h]
  7c12 0f 20 c0             mov eax, cr0
  7c15 0c 01                or al, 1
  7c17 0f 22 c0             mov cr0, eax
  7c1a ea 22 7c 18 00       jmp 18h:7c22h
  7c1f 50                   push ax
  7c20 07                   pop es
  7c21 c3                   ret
  7c22 66 b8 10 00          mov ax, 10h
  7c26 8e d8                mov ds, ax
  7c28 8e d0                mov ss, ax
  7c2a 8e c0                mov es, ax
  7c2c bc 00 70 00 00       mov esp, 7000h
  7c31 bf 00 10 00 00       mov edi, 1000h
  7c36 c7 07 03 20 00 00    mov dword [edi], 2003h
  7c3c c7 87 00 10 00 00 03 30 00 00 mov dword [edi+1000h], 3003h
  7c46 c7 87 00 20 00 00 83 00 00 00 mov dword [edi+2000h], 83h
  7c50 0f 20 e0             mov eax, cr4
  7c53 83 c8 20             or eax, 20h
  7c56 0f 22 e0             mov cr4, eax
  7c59 0f 22 df             mov cr3, edi
  7c5c b9 80 00 00 c0       mov ecx, 0c0000080h
  7c61 0f 32                rdmsr
  7c63 0d 00 01 00 00       or eax, 100h
  7c68 0f 30                wrmsr
  7c6a 0f 20 c0             mov eax, cr0
  7c6d 0d 00 00 00 80       or eax, 80000000h
  7c72 0f 22 c0             mov cr0, eax
  7c75 6a 08                push 8
  7c77 68 7d 7c 00 00       push 7c7dh
  7c7c cb                   retf
  7c7d 48 b8 88 77 66 55 44 33 22 11 mov rax, 1122334455667788h
  7c87 50                   push rax
  7c88 5b                   pop rbx
  7c89 48 8d 0d 28 00 00 00 lea rcx, [rip+28h]
  7c90 f4                   hlt
`;
/** Null, 64-bit code, data, 32-bit code; then limit and base for LGDT. */
const GDT = hex(`
  00 00 00 00 00 00 00 00  ff ff 00 00 00 9a af 00  ff ff 00 00 00 92 cf 00  ff ff 00 00 00 9a cf 00
  1f 00 98 7c 00 00
`);

function bootSector(): Uint8Array {
  const bytes = new Uint8Array(0xbe);
  for (const line of BOOT_CODE.trim().split('\n')) {
    const [, address = '', code = ''] = /^ *([0-9a-f]{4}) ((?:[0-9a-f]{2} )+)/.exec(line) ?? [];
    bytes.set(hex(code), Number.parseInt(address, 16) - LOAD);
  }
  bytes.set(GDT, 0x98);
  return bytes;
}

describe('boot code', () => {
  it.each(['intel-server', 'amd-server'])('goes from real-address mode to 64-bit mode on %s', (profile) => {
    const boot = rawImage({ bytes: bootSector(), mode: 'real', load: LOAD });
    const machine = createMachine({ profile, memory: 4 * 2 ** 20, boot });
    const modes: string[] = [];
    machine.outcomes$.subscribe(() => {
      const { control, segments, msrs } = machine.state.processors[0] ?? expect.fail('no processor');
      const long = ((msrs['IA32_EFER'] ?? 0n) & 0x400n) !== 0n;
      const mode =
        (control.CR0 & 1n) === 0n
          ? 'real'
          : !long
            ? 'protected'
            : segments.CS.attributes & 0x2000n
              ? '64-bit'
              : 'compatibility';
      if (modes.at(-1) !== mode) modes.push(mode);
    });
    const { stop } = machine.run({ maxSteps: 100 });
    expect(stop).toEqual({ reason: 'waiting' });
    expect(modes).toEqual(['real', 'protected', 'compatibility', '64-bit']);
    const { general, segments, msrs } = machine.state.processors[0] ?? expect.fail('no processor');
    expect(general).toMatchObject({ RBX: 0x1122_3344_5566_7788n, RCX: 0x7cb8n, RSP: 0x7000n, RIP: 0x7c91n });
    expect(segments.CS).toEqual({ selector: 8n, base: 0n, limit: 0xffff_ffffn, attributes: 0xa09bn });
    expect(segments.SS).toEqual({ selector: 0x10n, base: 0n, limit: 0xffff_ffffn, attributes: 0xc093n });
    expect(segments.ES.selector).toBe(0x10n);
    expect(msrs['IA32_EFER']).toBe(0x500n);
    // Loading a descriptor sets its accessed bit in the table.
    expect([1, 2, 3].map((index) => machine.readMemory(LOAD + 0x98 + index * 8 + 5, 1)[0])).toEqual([0x9b, 0x93, 0x9b]);
  });
});
