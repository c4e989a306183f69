// Instructions that change what the processor does: halting, interrupts, tables, calls between levels.
import { describe, expect, it } from 'vitest';
import { fault } from '../../src/event/outcome.js';
import type { Machine } from '../../src/machine/machine.js';
import { definePlugin } from '../../src/plugin/define.js';
import { bootedMachine, CODE, hex, machineWith } from '../support/booted-machine.js';

const seeExceptions = definePlugin({
  name: 'observer',
  version: '1.0.0',
  apiVersion: 1,
  intercepts: { exception: (_cpu, raised) => ({ ...raised, kind: 'observer/raised' }) },
});
const raised = (vector: '#GP' | '#UD', rule: string, errorCode = 0) => ({
  ...fault(vector, { ...(vector === '#GP' ? { errorCode } : {}), rule: `core.${rule}` }),
  kind: 'observer/raised',
});
const running = (code: string): Machine => machineWith(hex(code), { plugins: [seeExceptions] });
const quad = (machine: Machine, address: number): bigint =>
  new DataView(machine.readMemory(address, 8).buffer).getBigUint64(0, true);

function toUserLevel(machine: Machine): void {
  const user = { 'CS.selector': 0x1bn, 'CS.attributes': 0xa0fbn, 'SS.selector': 0x23n, 'SS.attributes': 0xc0f3n };
  for (const [register, value] of Object.entries(user)) machine.processor(0).set(register, value);
}

describe('HLT', () => {
  it('halts, and is #GP(0) above CPL 0', () => {
    const cpu = bootedMachine().processor(0);
    expect(cpu.hlt()).toEqual({ kind: 'halted' });
    expect(cpu.read('activity')).toBe(1n);
    const machine = bootedMachine();
    toUserLevel(machine);
    expect(machine.processor(0).hlt()).toEqual(fault('#GP', { errorCode: 0, rule: 'core.hlt.cpl' }));
  });
});

describe('CLI and STI', () => {
  it('clear and set IF; STI holds interrupts back for one instruction, and not twice in a row', () => {
    const machine = running('fb fb 90 fa f4');
    const cpu = machine.processor(0);
    cpu.step();
    expect([cpu.read('RFLAGS') & 0x200n, cpu.read('interruptShadow')]).toEqual([0x200n, 1n]);
    cpu.step();
    expect(cpu.read('interruptShadow')).toBe(0n);
    cpu.step(2);
    expect(cpu.read('RFLAGS') & 0x200n).toBe(0n);
  });

  it('need a CPL at or below IOPL', () => {
    const machine = bootedMachine();
    toUserLevel(machine);
    const cpu = machine.processor(0);
    expect(cpu.cli()).toEqual(fault('#GP', { errorCode: 0, rule: 'core.cli.iopl' }));
    expect(cpu.sti()).toEqual(fault('#GP', { errorCode: 0, rule: 'core.sti.iopl' }));
    cpu.set('RFLAGS', 0x3002n);
    expect(cpu.sti()).toEqual({ kind: 'completed' });
  });
});

describe('LGDT and LIDT', () => {
  it('take base and limit from the caller, who cannot give a base that is not canonical', () => {
    const cpu = bootedMachine().processor(0);
    cpu.lgdt(0x1234n, 0x1_ffffn);
    cpu.lidt(0xffff_8000_0000_0000n, 0xfffn);
    expect([cpu.read('GDTR.base'), cpu.read('GDTR.limit')]).toEqual([0x1234n, 0xffffn]);
    expect([cpu.read('IDTR.base'), cpu.read('IDTR.limit')]).toEqual([0xffff_8000_0000_0000n, 0xfffn]);
    expect(cpu.lidt(1n << 60n, 0)).toEqual(fault('#GP', { errorCode: 0, rule: 'core.lidt.canonical' }));
  });

  it('take ten bytes of memory in 64-bit mode, which SGDT and SIDT store', () => {
    const machine = running('0f 01 00 0f 01 13 0f 01 0b f4'); // sgdt [rax]; lgdt [rbx]; sidt [rbx]; hlt
    const cpu = machine.processor(0);
    cpu.set('RAX', 0x2_0000n);
    cpu.set('RBX', 0x2_1000n);
    machine.writeMemory(0x2_1000, Uint8Array.from(hex('ff 00 88 77 66 55 44 33 00 00')));
    cpu.step(2);
    expect(machine.readMemory(0x2_0000, 10)).toEqual(Uint8Array.from(hex('1f 00 00 08 00 00 00 00 00 00')));
    expect(cpu.read('GDTR.base')).toBe(0x3344_5566_7788n);
    cpu.set('IDTR.base', 0x1122n);
    cpu.step();
    expect(machine.readMemory(0x2_1000, 4)).toEqual(Uint8Array.from(hex('00 00 22 11')));
  });

  it('hide tables from user software with CR4.UMIP', () => {
    const machine = running('0f 01 00');
    toUserLevel(machine);
    machine.processor(0).set('RAX', 0x2_0000n);
    machine.processor(0).set('CR4', 0x820n);
    expect(machine.processor(0).step()).toEqual(raised('#GP', 'sgdt.umip'));
  });
});

describe('IN and OUT', () => {
  const written: unknown[] = [];
  const device = definePlugin({
    name: 'device',
    version: '1.0.0',
    apiVersion: 1,
    ports: [
      {
        first: 0x40,
        last: 0x43,
        read: (_cpu, port, bytes) => port * bytes,
        write: (_cpu, ...facts) => void written.push(facts),
      },
    ],
  });

  it('reach the device behind a port; a port of nobody reads as ones', () => {
    const cpu = bootedMachine({ plugins: [device] }).processor(0);
    expect(cpu.inl(0x40)).toEqual({ kind: 'completed', value: 0x100n });
    expect(cpu.inb(0x44)).toEqual({ kind: 'completed', value: 0xffn });
    expect(cpu.inw(0x44)).toEqual({ kind: 'completed', value: 0xffffn });
    cpu.outw(0x41, 0x1_2345);
    cpu.outb(0x44, 1);
    expect(written).toEqual([[0x41, 0x2345, 2]]);
  });

  it('use the accumulator and DX, or an immediate port', () => {
    const machine = machineWith(hex('e4 40 ed ee f4'), { plugins: [device] }); // in al, 40h; in eax, dx; out dx, al; hlt
    const cpu = machine.processor(0);
    cpu.set('RAX', 0xffff_ffff_ffff_ff00n);
    cpu.set('RDX', 0x43n);
    cpu.step();
    expect(cpu.read('RAX')).toBe(0xffff_ffff_ffff_ff40n);
    cpu.step();
    expect(cpu.read('RAX')).toBe(0x10cn);
    cpu.step();
    expect(written.at(-1)).toEqual([0x43, 0x0c, 1]);
  });

  it('ask the bit map of the TSS above IOPL', () => {
    const machine = bootedMachine({ plugins: [device] });
    toUserLevel(machine as never);
    const cpu = machine.processor(0);
    const refused = fault('#GP', { errorCode: 0, rule: 'core.in.permission' });
    cpu.set('TR.base', 0x2_0000n);
    cpu.set('TR.limit', 0x67n + 0x20n);
    machine.writeMemory(0x2_0000 + 102, Uint8Array.from([0x68, 0]));
    expect(cpu.inl(0x40)).toMatchObject({ value: 0x100n });
    machine.writeMemory(0x2_0000 + 0x68 + 8, Uint8Array.from([0x08])); // port 43H
    expect(cpu.inl(0x40)).toEqual(refused);
    expect(cpu.inw(0x41)).toMatchObject({ value: 0x82n });
    expect(cpu.inb(0xf8)).toEqual(refused); // the map ends before the second byte
    cpu.set('RFLAGS', 0x3002n);
    expect(cpu.inl(0x40)).toMatchObject({ value: 0x100n });
  });
});

describe('SYSCALL and SYSRET', () => {
  it('go to the kernel and back', () => {
    const machine = running('0f 05'); // syscall
    const cpu = machine.processor(0);
    machine.writeMemory(0x11_0000, Uint8Array.from(hex('48 0f 07'))); // sysretq
    for (const [register, value] of Object.entries({
      IA32_STAR: 0x0013_0008_0000_0000n,
      IA32_LSTAR: 0x11_0000n,
      IA32_FMASK: 0x200n,
      RFLAGS: 0x202n,
    })) {
      cpu.set(register, value);
    }
    toUserLevel(machine);
    cpu.step();
    const entered = machine.state.processors[0];
    expect(entered?.general).toMatchObject({ RIP: 0x11_0000n, RCX: BigInt(CODE + 2), R11: 0x202n, RFLAGS: 0x2n });
    expect(entered?.segments.CS).toEqual({ selector: 8n, base: 0n, limit: 0xffff_ffffn, attributes: 0xa09bn });
    expect(entered?.segments.SS).toMatchObject({ selector: 0x10n, attributes: 0xc093n });
    cpu.step();
    const returned = machine.state.processors[0];
    expect(returned?.general).toMatchObject({ RIP: BigInt(CODE + 2), RFLAGS: 0x202n });
    expect(returned?.segments.CS).toMatchObject({ selector: 0x23n, attributes: 0xa0fbn });
    expect(returned?.segments.SS).toMatchObject({ selector: 0x1bn, attributes: 0xc0f3n });
  });

  it('are #UD without IA32_EFER.SCE, and SYSRET #GP(0) to a non-canonical RCX', () => {
    const machine = running('0f 05');
    machine.processor(0).set('IA32_EFER', 0xd00n);
    expect(machine.processor(0).step()).toEqual(raised('#UD', 'syscall.sce'));
    const other = running('48 0f 07');
    other.processor(0).set('RCX', 1n << 55n);
    expect(other.processor(0).step()).toEqual(raised('#GP', 'sysretq.canonical'));
  });
});

describe('IRETQ', () => {
  /** SS, RSP, RFLAGS, CS, RIP: pushed from the highest address down. */
  function returning(frame: readonly bigint[]): Machine {
    const machine = running('48 cf');
    const gdt = [0n, 0x00af_9a00_0000_ffffn, 0x00cf_9200_0000_ffffn, 0x00af_fa00_0000_ffffn, 0x00cf_f200_0000_ffffn];
    for (const [base, quads] of [
      [0x2_0000, gdt],
      [0x7f00, frame],
    ] as const) {
      const view = new DataView(new ArrayBuffer(quads.length * 8));
      for (const [index, value] of quads.entries()) view.setBigUint64(index * 8, value, true);
      machine.writeMemory(base, new Uint8Array(view.buffer));
    }
    const cpu = machine.processor(0);
    for (const [register, value] of Object.entries({
      'GDTR.base': 0x2_0000n,
      'GDTR.limit': 0x27n,
      RSP: 0x7f00n,
      nmiBlocked: 1n,
    }))
      cpu.set(register, value);
    return machine;
  }

  it('returns to the same level', () => {
    const machine = returning([0x12_3456n, 8n, 0x3202n, 0x6000n, 0x10n]);
    expect(machine.processor(0).step()).toEqual({ kind: 'completed' });
    expect(machine.state.processors[0]?.general).toMatchObject({ RIP: 0x12_3456n, RSP: 0x6000n, RFLAGS: 0x3202n });
    expect(machine.processor(0).read('nmiBlocked')).toBe(0n);
  });

  it('returns to user level, where privileged data segments become null', () => {
    const machine = returning([0x12_3456n, 0x1bn, 0x202n, 0x6000n, 0x23n]);
    expect(machine.processor(0).step()).toEqual({ kind: 'completed' });
    const { segments, general } = machine.state.processors[0] ?? expect.fail('no processor');
    expect(general).toMatchObject({ RIP: 0x12_3456n, RSP: 0x6000n });
    expect(segments.CS).toMatchObject({ selector: 0x1bn, attributes: 0xa0fbn });
    expect(segments.SS).toMatchObject({ selector: 0x23n, attributes: 0xc0f3n });
    expect(segments.DS).toEqual({ selector: 0n, base: 0n, limit: 0xffff_ffffn, attributes: 0x1_c093n });
  });

  it.each([
    ['a null CS', [0n, 0n, 2n, 0n, 0x10n], raised('#GP', 'far-transfer.null')],
    ['a CS beyond the GDT', [0n, 0x28n, 2n, 0n, 0x10n], raised('#GP', 'far-transfer.limit', 0x28)],
    ['a CS that is data', [0n, 0x10n, 2n, 0n, 0x10n], raised('#GP', 'far-return.type', 0x10)],
    ['a CS whose DPL is not its RPL', [0n, 0x0bn, 2n, 0n, 0x10n], raised('#GP', 'far-return.dpl', 8)],
    ['a RIP that is not canonical', [1n << 60n, 8n, 2n, 0n, 0x10n], raised('#GP', 'far-transfer.offset')],
    ['an SS of another level', [0n, 0x1bn, 2n, 0n, 0x10n], raised('#GP', 'segment-load.ss-rpl', 0x10)],
    ['a null SS for level 3', [0n, 0x1bn, 2n, 0n, 3n], raised('#GP', 'far-return.ss-null')],
  ] as const)('refuses %s, and changes nothing', (_what, frame, outcome) => {
    const machine = returning(frame);
    const before = machine.state.processors[0];
    expect(machine.processor(0).step()).toEqual(outcome);
    const after = machine.state.processors[0];
    expect([after?.general, after?.segments]).toEqual([before?.general, before?.segments]);
    expect(machine.processor(0).read('nmiBlocked')).toBe(1n);
  });

  it('is #GP(0) with RFLAGS.NT', () => {
    const machine = returning([0n, 8n, 2n, 0n, 0x10n]);
    machine.processor(0).set('RFLAGS', 0x4002n);
    expect(machine.processor(0).step()).toEqual(raised('#GP', 'iretq.nt'));
  });
});

describe('flags on the stack', () => {
  it('let POPF change IOPL at CPL 0 and not above', () => {
    const popping = (user: boolean): bigint => {
      const machine = running('9d');
      machine.writeMemory(0x7ff8, Uint8Array.from(hex('02 32 00 00 00 00 00 00')));
      machine.processor(0).set('RSP', 0x7ff8n);
      if (user) toUserLevel(machine);
      machine.processor(0).step();
      return machine.processor(0).read('RFLAGS');
    };
    expect(popping(false)).toBe(0x3202n);
    expect(popping(true)).toBe(0x2n);
  });

  it('are pushed without RF and VM', () => {
    const machine = running('9c');
    machine.processor(0).set('RFLAGS', 0x1_0a97n);
    machine.processor(0).step();
    expect(quad(machine, 0x7ff8)).toBe(0xa97n);
  });
});

describe('debug registers', () => {
  it('take addresses and keep their fixed bits', () => {
    const machine = running('0f 23 c0 0f 23 f0 0f 21 f3'); // mov dr0|dr6, rax; mov rbx, dr6
    const cpu = machine.processor(0);
    cpu.set('RAX', 0xffff_ffffn);
    cpu.step(3);
    expect([cpu.read('DR0'), cpu.read('DR6'), cpu.read('RBX')]).toEqual([0xffff_ffffn, 0xffff_efffn, 0xffff_efffn]);
  });

  it('have no DR4 while CR4.DE is 1', () => {
    const machine = running('0f 21 e0');
    machine.processor(0).set('CR4', 0x28n);
    expect(machine.processor(0).step()).toEqual(raised('#UD', 'mov-dr.de'));
  });
});

describe('software interrupts', () => {
  it('go through a gate of the user, with the next instruction as return address', () => {
    const machine = machineWith(hex('cd 21'));
    const gate = hex('00 00 08 00 00 8e 30 00 00 00 00 00 00 00 00 00');
    machine.writeMemory(0x20_0000 + 0x21 * 16, Uint8Array.from(gate));
    const cpu = machine.processor(0);
    cpu.set('IDTR.base', 0x20_0000n);
    cpu.set('IDTR.limit', 0xfffn);
    cpu.step();
    expect(cpu.read('RIP')).toBe(0x30_0000n);
    expect(quad(machine, Number(cpu.read('RSP')))).toBe(BigInt(CODE + 2));
  });

  it('leave everything as it was when the gate is missing', () => {
    const machine = running('cd 21');
    const before = machine.state.processors[0]?.general;
    expect(machine.processor(0).step()).toEqual(raised('#GP', 'idt.limit', 0x21 * 8 + 2));
    expect(machine.state.processors[0]?.general).toEqual(before);
  });
});

describe('what caches would do', () => {
  it('is privileged for the whole cache, and a read for a line', () => {
    const machine = running('0f 09');
    toUserLevel(machine);
    expect(machine.processor(0).step()).toEqual(raised('#GP', 'wbinvd.cpl'));
    const line = running('0f ae 38'); // clflush [rax]
    line.processor(0).set('RAX', 1n << 46n);
    expect(line.processor(0).step()).toMatchObject({ vector: '#PF', errorCode: 0, address: 1n << 46n });
  });
});
