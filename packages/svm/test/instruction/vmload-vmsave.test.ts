import { completed, fault } from '@retrovisor/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vmcbPlace } from '../../src/vmcb-places.js';
import { enterMode, type SvmProcessorHandle, svmMachine, VMCB } from '../support/svm-machine.js';

type SvmMachine = ReturnType<typeof svmMachine>;

const SEGMENTS = ['FS', 'GS', 'TR', 'LDTR'] as const;
const MSRS = {
  KernelGsBase: 'IA32_KERNEL_GS_BASE',
  STAR: 'IA32_STAR',
  LSTAR: 'IA32_LSTAR',
  CSTAR: 'IA32_CSTAR',
  SFMASK: 'IA32_FMASK',
  SYSENTER_CS: 'IA32_SYSENTER_CS',
  SYSENTER_ESP: 'IA32_SYSENTER_ESP',
  SYSENTER_EIP: 'IA32_SYSENTER_EIP',
} as const;

function put(machine: SvmMachine, name: string, value: bigint, vmcb = VMCB): void {
  const { offset, bytes } = vmcbPlace(name);
  machine.writeMemory(
    vmcb + BigInt(offset),
    Uint8Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn)),
  );
}

function get(machine: SvmMachine, name: string, vmcb = VMCB): bigint {
  const { offset, bytes } = vmcbPlace(name);
  return machine
    .readMemory(vmcb + BigInt(offset), bytes)
    .reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function transferred(cpu: SvmProcessorHandle): readonly bigint[] {
  const parts = SEGMENTS.flatMap((name) =>
    ['selector', 'base', 'limit', 'attributes'].map((part) => `${name}.${part}`),
  );
  return [...parts, ...Object.values(MSRS)].map((register) => cpu.read(register));
}

/** Distinct values with bit 47 clear, so that they are canonical. */
const sample = (index: number) => 0x1111_0000_1000n + BigInt(index);

describe('VMLOAD', () => {
  it('loads FS, GS, TR and LDTR with all hidden state', () => {
    const machine = svmMachine();
    const cpu = machine.processor(0);
    for (const [index, name] of SEGMENTS.entries()) {
      put(machine, `${name}.selector`, BigInt(0x10 * (index + 1)));
      put(machine, `${name}.attributes`, 0xc93n);
      put(machine, `${name}.limit`, 0xffff_fff0n + BigInt(index));
      put(machine, `${name}.base`, sample(index));
    }
    expect(cpu.vmload(VMCB)).toEqual(completed());
    for (const [index, name] of SEGMENTS.entries()) {
      expect(cpu.state.segments[name]).toEqual({
        selector: BigInt(0x10 * (index + 1)),
        attributes: 0xc093n,
        limit: 0xffff_fff0n + BigInt(index),
        base: sample(index),
      });
    }
  });

  it('loads KernelGsBase, STAR, LSTAR, CSTAR, SFMASK and the SYSENTER MSRs', () => {
    const machine = svmMachine();
    for (const [index, field] of Object.keys(MSRS).entries()) put(machine, field, sample(index));
    machine.processor(0).vmload(VMCB);
    expect(Object.values(MSRS).map((register) => machine.processor(0).read(register))).toEqual(
      Object.keys(MSRS).map((_, index) => sample(index)),
    );
  });

  it('makes bases and addresses canonical, at the width that CPUID reports', () => {
    const addresses = [
      'FS.base',
      'GS.base',
      'TR.base',
      'LDTR.base',
      'KernelGsBase',
      'LSTAR',
      'CSTAR',
      'SYSENTER_ESP',
      'SYSENTER_EIP',
    ];
    const machine = svmMachine();
    for (const name of addresses) put(machine, name, 0x5b00_0000_0000_1000n);
    for (const name of ['STAR', 'SFMASK', 'SYSENTER_CS']) put(machine, name, 0x5b00_0000_0000_1000n);
    machine.processor(0).vmload(VMCB);
    machine.processor(0).vmsave(VMCB);
    for (const name of addresses) expect(get(machine, name), name).toBe(0xff00_0000_0000_1000n); // bit 56 is the highest of 57
    for (const name of ['STAR', 'SFMASK', 'SYSENTER_CS']) expect(get(machine, name), name).toBe(0x5b00_0000_0000_1000n);
  });

  it('makes a segment that is not present unusable', () => {
    const machine = svmMachine();
    put(machine, 'FS.attributes', 0x013n);
    machine.processor(0).vmload(VMCB);
    expect(machine.processor(0).read('FS.attributes')).toBe(0x1_0013n);
  });

  it('changes no other register', () => {
    const machine = svmMachine();
    machine.writeMemory(VMCB, new Uint8Array(4096).fill(0x5a));
    const { state: before } = machine.processor(0);
    machine.processor(0).vmload(VMCB);
    const { state: after } = machine.processor(0);
    const others = ({ segments: { ES, CS, SS, DS }, control, debug, descriptorTables, internal }: typeof after) => ({
      ES,
      CS,
      SS,
      DS,
      control,
      debug,
      descriptorTables,
      internal,
    });
    expect({ ...others(after), internal: undefined }).toEqual({ ...others(before), internal: undefined });
    expect({ ...after.general, RAX: 0n }).toEqual({ ...before.general, RAX: 0n });
  });
});

describe('VMSAVE', () => {
  it('stores the same state as VMLOAD loads, and nothing else of the VMCB', () => {
    const machine = svmMachine();
    const cpu = machine.processor(0);
    machine.writeMemory(VMCB, new Uint8Array(4096).fill(0xee));
    const before = machine.readMemory(VMCB, 4096);
    cpu.vmsave(VMCB);
    const after = machine.readMemory(VMCB, 4096);
    const covered = [...SEGMENTS, ...Object.keys(MSRS)].map(vmcbPlace);
    for (const [index, byte] of after.entries()) {
      if (!covered.some(({ offset, bytes }) => index >= offset && index < offset + bytes))
        expect(byte, `byte ${index}`).toBe(before[index]);
    }
    expect(get(machine, 'TR.base')).toBe(cpu.read('TR.base'));
    expect(get(machine, 'TR.attributes')).toBe(cpu.read('TR.attributes') & 0xffn);
  });

  it('stores P = 0 for a register that is unusable', () => {
    const machine = svmMachine();
    machine.processor(0).set('GS.attributes', 0x1_0093n);
    machine.processor(0).vmsave(VMCB);
    expect(get(machine, 'GS.attributes')).toBe(0x013n);
  });

  it('gives back, on another processor, what it took from the first', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 2n ** 56n - 1n }), { minLength: 12, maxLength: 12 }), (values) => {
        const machine = svmMachine('amd-server', 2);
        const [one, other] = [machine.processor(0), machine.processor(1)];
        for (const [index, register] of Object.values(MSRS).entries()) one.set(register, values[index] ?? 0n);
        for (const [index, name] of SEGMENTS.entries()) one.set(`${name}.base`, values[8 + index] ?? 0n);
        one.vmsave(VMCB);
        other.vmload(VMCB);
        expect(transferred(other)).toEqual(transferred(one));
      }),
      { numRuns: 20 },
    );
  });
});

describe('rAX of the encoded instructions', () => {
  const code = 0x10_0000n;
  const step = (machine: SvmMachine, bytes: readonly number[], rax: bigint) => {
    machine.writeMemory(code, Uint8Array.from(bytes));
    const cpu = machine.processor(0);
    cpu.set('RIP', code);
    cpu.set('RAX', rax);
    return cpu.step();
  };

  it('is RAX in 64-bit mode', () => {
    const machine = svmMachine();
    expect(step(machine, [0x0f, 0x01, 0xdb], VMCB)).toEqual(completed());
    expect(machine.processor(0).read('RIP')).toBe(code + 3n);
    expect(get(machine, 'TR.limit')).toBe(machine.processor(0).read('TR.limit'));
  });

  it('is EAX with an address-size prefix: the bits above do not count', () => {
    const machine = svmMachine();
    put(machine, 'STAR', 0x77n);
    expect(step(machine, [0x67, 0x0f, 0x01, 0xda], VMCB | (1n << 60n))).toEqual(completed());
    expect(machine.processor(0).read('IA32_STAR')).toBe(0x77n);
    expect(machine.processor(0).read('svm.VMCB')).toBe(VMCB);
  });

  it('is EAX in 32-bit modes, and AX with an address-size prefix there', () => {
    for (const mode of ['compatibility', 'protected'] as const) {
      const machine = svmMachine();
      enterMode(machine.processor(0), mode, 0);
      expect(step(machine, [0x0f, 0x01, 0xda], VMCB)).toEqual(completed());
      expect(step(machine, [0x67, 0x0f, 0x01, 0xda], 0xff_5000n)).toEqual(completed());
      expect(machine.processor(0).read('svm.VMCB')).toBe(0x5000n);
    }
  });

  it('may point beyond RAM: what is not there reads as ones', () => {
    const machine = svmMachine();
    expect(machine.processor(0).vmload(1n << 40n)).toEqual(completed());
    expect(machine.processor(0).read('IA32_STAR')).toBe(0xffff_ffff_ffff_ffffn);
    expect(machine.processor(0).vmload((1n << 40n) | 1n)).toEqual(
      fault('#GP', { errorCode: 0, rule: 'svm.vmload.rax' }),
    );
  });
});
