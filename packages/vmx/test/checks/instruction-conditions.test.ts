import { fault, type Outcome } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import {
  bootedMachine,
  DATA,
  execute,
  rootMachine,
  VMCS,
  VMXON_REGION,
  type VmxMachineUnderTest,
  writeValue,
} from '../support/machine.js';
import { MODES } from '../support/modes.js';
import { MACHINE_CODE, PASSING } from '../support/violations.js';
import { VMX_INSTRUCTIONS } from '../support/violations-listed.js';

const NOT_CANONICAL = 0x8000_0000_0000_0000n;
/** No PML4 entry. */
const NOT_PRESENT = 0x80_0000_0000n;
const WRITE = 2;

const MNEMONICS = Object.keys(MACHINE_CODE);
const isStore = (mnemonic: string) => mnemonic === 'VMPTRST' || mnemonic === 'VMREAD';

/** Guest RIP; types that look at no more than the descriptor's reserved bits. */
const IN_RAX: Readonly<Record<string, bigint>> = { VMREAD: 0x681en, VMWRITE: 0x681en, INVEPT: 2n, INVVPID: 2n };
/** What the operand must hold. */
const OPERAND: Readonly<Record<string, bigint>> = { VMXON: VMXON_REGION, INVEPT: 0n, INVVPID: 0n };

/** The two rows of each instruction, in order. */
function rows(mnemonic: string): readonly [segment: string, page: string] {
  const checks = VMX_INSTRUCTIONS.find((each) => each.mnemonic === mnemonic)?.checks ?? [];
  const [segment = '', page = ''] = checks.map(({ id }) => id).filter((id) => /-(segment|page)$/.test(id));
  return [segment, page];
}

function machineFor(mnemonic: string, address: bigint): VmxMachineUnderTest {
  const machine = PASSING[mnemonic]?.inRoot ? rootMachine() : bootedMachine();
  const cpu = machine.processor(0);
  cpu.set('RAX', IN_RAX[mnemonic] ?? 0n);
  cpu.set('RBX', address);
  cpu.set('RSP', address);
  return machine;
}

/** The exception itself: without an IDT it ends in shutdown. */
function raised(outcome: Outcome): unknown {
  return outcome.kind === 'shutdown' && 'chain' in outcome ? (outcome.chain as readonly unknown[])[0] : outcome;
}

function code(mnemonic: string, form: 'data' | 'stack' = 'data'): readonly number[] {
  return MACHINE_CODE[mnemonic]?.[form] ?? [];
}

describe.each(MNEMONICS)('the memory operand of %s', (mnemonic) => {
  const [segment, page] = rows(mnemonic);
  const errorCode = isStore(mnemonic) ? WRITE : 0;

  it('is accessed in 64-bit mode', () => {
    const machine = machineFor(mnemonic, DATA);
    writeValue(machine, DATA, 8, OPERAND[mnemonic] ?? VMCS);
    expect(execute(machine, code(mnemonic))).toMatchObject({ kind: 'vmx/VMsucceed' });
    expect(machine.processor(0).read('RIP')).toBe(0x10_0000n + BigInt(code(mnemonic).length));
  });

  it('is #GP(0) if its address is not canonical', () => {
    const machine = machineFor(mnemonic, NOT_CANONICAL);
    expect(raised(execute(machine, code(mnemonic)))).toEqual(fault('#GP', { errorCode: 0, rule: segment }));
  });

  it('is #SS(0) if its address is not canonical and is made with RSP', () => {
    const machine = machineFor(mnemonic, NOT_CANONICAL);
    expect(raised(execute(machine, code(mnemonic, 'stack')))).toEqual(fault('#SS', { errorCode: 0, rule: segment }));
  });

  it('is #PF if its page is not present', () => {
    const machine = machineFor(mnemonic, NOT_PRESENT);
    const expected = fault('#PF', { errorCode, address: NOT_PRESENT, rule: page });
    expect(raised(execute(machine, code(mnemonic)))).toEqual(expected);
    expect(machine.processor(0).read('CR2')).toBe(NOT_PRESENT);
  });

  it('is #GP(0) beyond the limit of DS in protected mode', () => {
    const machine = machineFor(mnemonic, DATA);
    MODES['protected mode'](machine);
    machine.processor(0).set('DS.limit', DATA + 2n);
    expect(raised(execute(machine, code(mnemonic)))).toEqual(fault('#GP', { errorCode: 0, rule: segment }));
  });

  it('is #SS(0) beyond the limit of SS in protected mode', () => {
    const machine = machineFor(mnemonic, DATA);
    MODES['protected mode'](machine);
    machine.processor(0).set('SS.limit', DATA - 1n);
    expect(raised(execute(machine, code(mnemonic, 'stack')))).toEqual(fault('#SS', { errorCode: 0, rule: segment }));
  });

  it('may lie in a read-only segment only if it is read', () => {
    const machine = machineFor(mnemonic, DATA);
    writeValue(machine, DATA, 8, OPERAND[mnemonic] ?? VMCS);
    MODES['protected mode'](machine);
    machine.processor(0).set('DS.attributes', 0xc091n);
    const outcome = raised(execute(machine, code(mnemonic)));
    if (isStore(mnemonic)) expect(outcome).toEqual(fault('#GP', { errorCode: 0, rule: segment }));
    else expect(outcome).toMatchObject({ kind: 'vmx/VMsucceed' });
  });

  it('faults after the privilege is checked', () => {
    const machine = machineFor(mnemonic, NOT_PRESENT);
    machine.processor(0).set('SS.attributes', 0xc0f3n);
    const rule = `vmx.${mnemonic.toLowerCase()}.cpl`;
    expect(raised(execute(machine, code(mnemonic)))).toEqual(fault('#GP', { errorCode: 0, rule }));
  });
});

it('faults of VMXON come after those of control registers and IA32_FEATURE_CONTROL', () => {
  const machine = machineFor('VMXON', NOT_PRESENT);
  machine.processor(0).set('IA32_FEATURE_CONTROL', 1n);
  expect(raised(execute(machine, code('VMXON')))).toMatchObject({ rule: 'vmx.vmxon.feature-control-nonsmx' });
});

it('does not read the operand of VMXON in VMX root operation', () => {
  const machine = machineFor('VMCLEAR', NOT_PRESENT);
  expect(execute(machine, code('VMXON'))).toMatchObject({ kind: 'vmx/VMfailValid', number: 15 });
});

it('looks at the encoding of VMREAD before the destination', () => {
  const machine = machineFor('VMREAD', NOT_PRESENT);
  machine.processor(0).set('RAX', 0x6ffen);
  expect(execute(machine, code('VMREAD'))).toMatchObject({ kind: 'vmx/VMfailValid', number: 12 });
});

it('reads the source of VMWRITE before it looks for a current VMCS', () => {
  const machine = machineFor('VMWRITE', NOT_PRESENT);
  machine.apply({ type: 'processor/intrinsicExecuted', processor: 0, intrinsic: 'vmclear', operands: [VMCS] });
  expect(raised(execute(machine, code('VMWRITE')))).toMatchObject({ rule: 'vmx.vmwrite.source-page' });
});
