// What a guest does until its #VMEXIT, instruction by instruction: codes, EXITINFO, nRIP, and what is saved and loaded.
import { describe, expect, it } from 'vitest';
import { field, machineWithGuest, type SvmMachine, setField } from './support/guest.js';
import { VMCB } from './support/svm-machine.js';

const CPUID = [0x0f, 0xa2];
const RIP = 0x30_0000n;
const VECTOR_3 = 'Intercept vector 3';
const VECTOR_4 = 'Intercept vector 4';
const bit = (number: number): bigint => 1n << BigInt(number);

/** Runs the guest until it leaves; the outcome of the last step. */
function runGuest(machine: SvmMachine, limit = 50) {
  const cpu = machine.processor(0);
  expect(cpu.vmrun(VMCB)).toMatchObject({ kind: 'svm/vmrun' });
  for (let step = 0; step < limit; step++) {
    const outcome = cpu.step();
    if (outcome.kind === 'svm/vmexit') return outcome;
  }
  throw new RangeError('the guest did not leave');
}

describe('#VMEXIT of an instruction', () => {
  const rows: readonly (readonly [
    name: string,
    code: readonly number[],
    intercept: Readonly<Record<string, bigint>>,
    more?: object,
  ])[] = [
    ['VMEXIT_CPUID', CPUID, { [VECTOR_3]: bit(18) }],
    ['VMEXIT_HLT', [0xf4], { [VECTOR_3]: bit(24) }],
    ['VMEXIT_RDTSC', [0x0f, 0x31], { [VECTOR_3]: bit(14) }],
    ['VMEXIT_PUSHF', [0x9c], { [VECTOR_3]: bit(16) }],
    ['VMEXIT_SWINT', [0xcd, 0x80], { [VECTOR_3]: bit(21) }, { exitInfo1: 0x80n }],
    ['VMEXIT_ICEBP', [0xf1], { [VECTOR_4]: 1n | bit(8) }],
    ['VMEXIT_VMMCALL', [0x0f, 0x01, 0xd9], { [VECTOR_4]: 1n | bit(1) }],
    ['VMEXIT_VMRUN', [0x0f, 0x01, 0xd8], {}],
    ['VMEXIT_CLGI', [0x0f, 0x01, 0xdd], { [VECTOR_4]: 1n | bit(5) }],
    ['VMEXIT_CR3_READ', [0x0f, 0x20, 0xdb], { 'Intercept reads of CR0-15': bit(3) }, { exitInfo1: bit(63) | 3n }],
    ['VMEXIT_CR4_WRITE', [0x0f, 0x22, 0xe1], { 'Intercept writes of CR0-15': bit(4) }, { exitInfo1: bit(63) | 1n }],
    ['VMEXIT_DR7_READ', [0x0f, 0x21, 0xfa], { 'Intercept reads of DR0-15': bit(7) }, { exitInfo1: 2n }],
    ['VMEXIT_CR0_WRITE', [0x0f, 0x06], { 'Intercept writes of CR0-15': bit(0) }, { exitInfo1: 0n }],
    ['VMEXIT_CR0_SEL_WRITE', [0x0f, 0x01, 0xf0], { [VECTOR_3]: bit(5) }],
    ['VMEXIT_GDTR_WRITE', [0x0f, 0x01, 0x10], { [VECTOR_3]: bit(11) }],
    ['VMEXIT_TR_READ', [0x0f, 0x00, 0xc8], { [VECTOR_3]: bit(9) }],
    ['VMEXIT_INVLPG', [0x0f, 0x01, 0x38], { [VECTOR_3]: bit(25), RAX: 0x1234n }, { exitInfo1: 0x1234n }],
    ['VMEXIT_WBINVD', [0x0f, 0x09], { [VECTOR_4]: 1n | bit(9) }],
    ['VMEXIT_PAUSE', [0xf3, 0x90], { [VECTOR_3]: bit(23) }],
  ];
  for (const [name, code, fields, more] of rows) {
    it(`is ${name} before anything of it is done, with nRIP behind it`, () => {
      const machine = machineWithGuest(code, fields);
      expect(runGuest(machine)).toMatchObject({ name, ...more });
      expect(field(machine, 'RIP')).toBe(RIP);
      expect(field(machine, 'nRIP')).toBe(RIP + BigInt(code.length));
    });
  }

  it('does not happen without its bit: the guest goes on', () => {
    const machine = machineWithGuest([...CPUID, 0xf4], { [VECTOR_3]: bit(24) });
    expect(runGuest(machine)).toMatchObject({ name: 'VMEXIT_HLT' });
    expect(field(machine, 'RIP')).toBe(RIP + 2n);
  });
});

describe('IN and OUT', () => {
  const IOIO = { [VECTOR_3]: bit(27) };

  it('exit where the permission map has a bit of the access, with the access in EXITINFO1 and the next RIP in EXITINFO2', () => {
    const machine = machineWithGuest([0xe7, 0x71], IOIO); // OUT 71H, EAX
    machine.writeMemory(0x22_0000n + 0x0en, Uint8Array.of(1 << 4)); // port 74H: the last byte of the access
    expect(runGuest(machine)).toMatchObject({
      name: 'VMEXIT_IOIO',
      exitInfo1: (0x71n << 16n) | bit(9) | bit(6),
      exitInfo2: RIP + 2n,
    });
  });

  it('do not exit where it has none', () => {
    const machine = machineWithGuest([0xe4, 0x71, 0xf4], { [VECTOR_3]: bit(27) | bit(24) });
    expect(runGuest(machine)).toMatchObject({ name: 'VMEXIT_HLT' });
  });
});

describe('RDMSR and WRMSR', () => {
  const readMsr = [0xb9, 0x82, 0, 0, 0xc0, 0x0f, 0x32];

  it('exit where the permission map has the bit of the direction', () => {
    const machine = machineWithGuest([...readMsr, 0x0f, 0x30], { [VECTOR_3]: bit(28) });
    machine.writeMemory(0x23_0000n + 0x820n, Uint8Array.of(1 << 5)); // C000_0082H: byte 20H of the second range, bits 5:4
    expect(runGuest(machine)).toMatchObject({ name: 'VMEXIT_MSR', exitInfo1: 1n });
  });

  it('exit for an MSR outside the map', () => {
    const machine = machineWithGuest([0xb9, 0, 0x20, 0, 0, 0x0f, 0x32], { [VECTOR_3]: bit(28) });
    expect(runGuest(machine)).toMatchObject({ name: 'VMEXIT_MSR', exitInfo1: 0n });
  });
});

describe('an exception of the guest', () => {
  it('exits before it is delivered, with its error code and address', () => {
    const machine = machineWithGuest([0x8b, 0x03], { 'Intercept exception vectors 0-31': bit(14) });
    machine.processor(0).set('RBX', 0x7fff_0000_0000n);
    expect(runGuest(machine)).toMatchObject({ name: 'VMEXIT_EXCP_14', exitInfo1: 0n, exitInfo2: 0x7fff_0000_0000n });
    expect(field(machine, 'CR2')).toBe(0n);
    expect(field(machine, 'Number of bytes fetched')).toBe(15n);
  });

  it('of a delivery that fails ends in VMEXIT_SHUTDOWN', () => {
    const machine = machineWithGuest([0x0f, 0x0b], { [VECTOR_3]: bit(31), 'IDTR.limit': 0n });
    expect(runGuest(machine)).toMatchObject({ name: 'VMEXIT_SHUTDOWN' });
  });

  it('during the delivery of another event tells of that one in EXITINTINFO', () => {
    const machine = machineWithGuest([0xcd, 0x80], { 'Intercept exception vectors 0-31': bit(13), 'IDTR.limit': 0n });
    expect(runGuest(machine)).toMatchObject({ name: 'VMEXIT_EXCP_13', exitInfo1: 0x80n * 8n + 2n });
    expect(field(machine, 'EXITINTINFO')).toBe(0x8000_0480n);
  });
});

describe('an injected event', () => {
  it('is delivered before the first instruction; a fault of its delivery names it', () => {
    const machine = machineWithGuest([0xf4], {
      EVENTINJ: 0x0000_00ab_8000_0b0en,
      'Intercept exception vectors 0-31': bit(8) | bit(13),
      'IDTR.limit': 0n,
    });
    expect(runGuest(machine)).toMatchObject({ name: 'VMEXIT_EXCP_13' });
    expect(field(machine, 'EXITINTINFO')).toBe(0x0000_00ab_8000_0b0en);
    expect(field(machine, 'EVENTINJ')).toBe(0x0000_00ab_0000_0b0en);
  });
});

describe('the world switch', () => {
  it('gives the host its registers back, and the guest those of its VMCB', () => {
    const machine = machineWithGuest([0x48, 0xff, 0xc0, 0xf4], { [VECTOR_3]: bit(24), RAX: 41n, CR2: 0x99n });
    const cpu = machine.processor(0);
    const before = cpu.state;
    runGuest(machine);
    expect(field(machine, 'RAX')).toBe(42n);
    expect(cpu.read('RAX')).toBe(VMCB);
    expect(cpu.read('CR2')).toBe(0x99n);
    expect(cpu.read('DR7')).toBe(0x400n);
    expect(cpu.state.segments).toEqual(before.segments);
    expect(cpu.state.control).toEqual({ ...before.control, CR2: 0x99n });
    expect(cpu.read('svm.GIF')).toBe(0n);
  });

  it('keeps a field whose clean bit is set, and reports that software changed it', () => {
    const machine = machineWithGuest(CPUID, { [VECTOR_3]: bit(18) });
    runGuest(machine);
    setField(machine, VECTOR_3, 0n);
    setField(machine, 'VMCB Clean Bits', 1n);
    const outcome = machine.processor(0).vmrun(VMCB);
    expect(outcome).toMatchObject({
      hazards: [{ hazard: 'svm.vmrun.clean-field-changed', facts: { field: 'vmcb:Intercept vector 3@0x200000' } }],
    });
    expect(machine.processor(0).step()).toMatchObject({ name: 'VMEXIT_CPUID' });
  });
});

describe('nested paging', () => {
  it('translates through the tables at N_CR3, and exits where they refuse', () => {
    const machine = machineWithGuest([0x8b, 0x03], { 'Nested paging and encryption control': 1n, N_CR3: 0x26_0000n });
    expect(runGuest(machine)).toMatchObject({ name: 'VMEXIT_NPF', exitInfo1: bit(33) | 6n });
  });
});

describe('what is not modelled', () => {
  it('is an error that names it, where a VMCB enables it', () => {
    for (const [name, value, message] of [
      ['Virtual interrupt control', bit(31), /AVIC/],
      ['Virtualization extensions', 1n, /LBR/],
      ['Virtualization extensions', 2n, /VMLOAD/],
      ['Nested paging and encryption control', 2n, /SEV/],
    ] as const) {
      const machine = machineWithGuest(CPUID, { [name]: value });
      expect(() => machine.processor(0).vmrun(VMCB)).toThrow(message);
    }
  });
});
