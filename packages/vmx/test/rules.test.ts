import { fault, Machine, type Outcome, type ProcessorProfile } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { NO_VMCS, type VmInstructionError, vmFailInvalid, vmFailValid, vmxProcessorIn } from '../src/index.js';
import { INSTRUCTION_ENTRIES } from './support/inventory.js';
import { bootedMachine, rootMachine, type VmxMachineUnderTest } from './support/machine.js';
import { PASSING, type Violation, violationOf } from './support/violations.js';
import { VMX_INSTRUCTIONS, violationsListed } from './support/violations-listed.js';

const EXITS = 'an exit is no row of the instruction';
/** Of VMLAUNCH and VMRESUME alike. */
const ELSEWHERE = Object.fromEntries(
  ['vmlaunch', 'vmresume'].flatMap((id) => [
    [`${id}.controls`, 'entry/checks'],
    [`${id}.host-state`, 'entry/checks'],
    [`${id}.guest-state`, 'entry/checks'],
    [`${id}.msr-load`, 'entry/msr-load.test.ts'],
    [`${id}.executive`, 'SMM is not modelled'],
    [`${id}.machine-check`, 'a machine check waits for the boundary after the entry'],
  ]),
);

/** Entries of the inventory that have no row, and why. */
const NOT_MODELLED: Readonly<Record<string, string>> = {
  'vmxon.nonroot-exit': 'VMX non-root operation does not exist yet',
  'vmxon.a20m': 'the machine has no A20M mode',
  'vmxon.feature-control-smx': 'SMX operation is not modelled',
  'vmxon.pt': 'Intel PT is not modelled, and the profiles have IA32_VMX_MISC[14] = 1',
  'vmxoff.nonroot-exit': 'VMX non-root operation does not exist yet',
  'vmxoff.dual-monitor': 'the dual-monitor treatment of SMIs and SMM is not modelled',
  'vmclear.nonroot-exit': 'VMX non-root operation does not exist yet',
  'vmptrld.nonroot-exit': 'VMX non-root operation does not exist yet',
  'vmptrst.nonroot-exit': 'VMX non-root operation does not exist yet',
  'vmread.nonroot-exit': 'VMX non-root operation does not exist yet',
  'vmwrite.nonroot-exit': 'VMX non-root operation does not exist yet',
  'invept.nonroot-exit': 'VMX non-root operation does not exist yet',
  'vmresume.corrupted': 'a VMCS in memory is never corrupted in a way that a processor would notice',
  'invept.in-enclave': 'SGX is not modelled',
  'vmlaunch.nonroot-exit': EXITS,
  'vmresume.nonroot-exit': EXITS,
  ...ELSEWHERE,
  'invvpid.nonroot-exit': 'VMX non-root operation does not exist yet',
};

/** Rows whose exception comes from an access to memory: tested in checks/instruction-conditions.test.ts. */
const MEMORY = /\.(mem|dest|source)-(segment|page)$/;

/**
 * VMCALL never gets past its last row, VMFUNC is for guests: instruction/vmcall.test.ts and vmfunc.test.ts. The checks of VM
 * entry: entry/checks.
 */
const rules = VMX_INSTRUCTIONS.filter(({ mnemonic }) => mnemonic !== 'VMCALL' && mnemonic !== 'VMFUNC')
  .map(({ mnemonic, checks }) => ({ mnemonic, checks: checks.filter(({ id }) => !id.startsWith('vmx.entry.')) }))
  .flatMap(({ mnemonic, checks }) =>
    checks.map((rule, index) => ({ id: rule.id, mnemonic, rule, before: checks.slice(0, index) })),
  );
const tested = rules.filter(({ id }) => !MEMORY.test(id));

function prepare(mnemonic: string, violations: readonly Violation[]) {
  const profile = violations.find((violation) => violation.profile)?.profile ?? 'intel-server';
  const { inRoot, operands } = passing(mnemonic);
  const machine = startingFrom(profile, inRoot);
  passing(mnemonic).before?.(machine);
  for (const { before } of violations) before?.(machine);
  const violated = violations.reduce((values, { violate }) => violate?.(machine, values) ?? values, operands);
  const inRegister = violations.some((violation) => violation.inRegister);
  if (!inRegister) return { machine, operands: violated, inRegister };
  machine.processor(0).set('RAX', violated[0] ?? 0n);
  return { machine, operands: [], inRegister };
}

/** Many machines start from few states. */
const STARTS = { root: new Map<Profile, VmxMachineUnderTest>(), booted: new Map<Profile, VmxMachineUnderTest>() };
type Profile = string | ProcessorProfile;

function startingFrom(profile: Profile, inRoot: boolean): VmxMachineUnderTest {
  const starts = inRoot ? STARTS.root : STARTS.booted;
  const start = starts.get(profile) ?? (inRoot ? rootMachine : bootedMachine)({ profile }, [violationsListed]);
  starts.set(profile, start);
  return new Machine(start.definition, start.state);
}

function passing(mnemonic: string) {
  const found = PASSING[mnemonic];
  if (found === undefined) throw new Error(`no passing state for ${mnemonic}`);
  return found;
}

function call(machine: VmxMachineUnderTest, intrinsic: string, operands: readonly bigint[]): Outcome {
  return machine.apply({ type: 'processor/intrinsicExecuted', processor: 0, intrinsic, operands });
}

function listed(mnemonic: string, { machine, operands, inRegister }: ReturnType<typeof prepare>): readonly string[] {
  const name = `list${mnemonic.charAt(0)}${mnemonic.slice(1).toLowerCase()}${inRegister ? 'Register' : ''}`;
  const outcome = call(machine, name, operands);
  return 'value' in outcome ? (outcome.value as readonly string[]) : [];
}

function execute(mnemonic: string, { machine, operands }: ReturnType<typeof prepare>): Outcome {
  return call(machine, mnemonic.toLowerCase(), operands);
}

function violation(id: string): Violation {
  const found = violationOf(id);
  if (found === undefined) throw new Error(`no way to violate ${id}`);
  return found;
}

/** What the inventory says of a rule's outcome, as an outcome. */
function printedOutcome(id: string, hasCurrent: boolean): Outcome {
  const printed = INSTRUCTION_ENTRIES.find((entry) => `vmx.${entry.id}` === id)?.outcome ?? '';
  const number = /^VMfail\((\d+)\)$/.exec(printed)?.[1];
  if (number !== undefined && hasCurrent) return vmFailValid(Number(number) as VmInstructionError, { rule: id });
  if (number !== undefined || printed === 'VMfailInvalid') return vmFailInvalid({ rule: id });
  return printed === '#UD' ? fault('#UD', { rule: id }) : fault('#GP', { errorCode: 0, rule: id });
}

describe('the inventory', () => {
  const mine = INSTRUCTION_ENTRIES.filter(({ instruction }) => instruction in PASSING);

  it.each(Object.keys(PASSING))('of %s has a row for each entry, in its order', (mnemonic) => {
    const wanted = mine.filter(({ id, instruction }) => instruction === mnemonic && !id.endsWith('.success'));
    const ids = wanted.filter(({ id }) => !(id in NOT_MODELLED)).toSorted((one, other) => one.order - other.order);
    const rows = rules.filter((rule) => rule.mnemonic === mnemonic);
    expect(rows.map(({ id }) => id)).toEqual(ids.map(({ id }) => `vmx.${id}`));
  });

  it('knows every entry that is not modelled', () => {
    expect(Object.keys(NOT_MODELLED).filter((id) => !mine.some((entry) => entry.id === id))).toEqual([]);
  });
});

describe.each(Object.keys(PASSING))('%s', (mnemonic) => {
  it('passes every check in the state that the tests start from', () => {
    expect(listed(mnemonic, prepare(mnemonic, []))).toEqual([]);
    const kind = passing(mnemonic).succeeds ?? 'vmx/VMsucceed';
    expect(execute(mnemonic, prepare(mnemonic, []))).toMatchObject({ kind });
  });
});

describe.each(tested)('$id', ({ id, mnemonic, before }) => {
  const own = violation(id);

  it('is the only check that a state violates which differs in nothing else', () => {
    expect(listed(mnemonic, prepare(mnemonic, [own]))).toEqual([id, ...(own.implies ?? [])]);
  });

  it('ends as the manual says', () => {
    if (own.inRegister) return; // no encoding and no intrinsic has this form
    const prepared = prepare(mnemonic, [own]);
    const hasCurrent = vmxProcessorIn(prepared.machine.state, 0)?.currentVmcs !== NO_VMCS;
    expect(execute(mnemonic, prepared)).toEqual(printedOutcome(id, hasCurrent));
  });

  it('decides after every check that stands before it', () => {
    for (const earlier of before.filter((rule) => !MEMORY.test(rule.id))) {
      const [first] = listed(mnemonic, prepare(mnemonic, [own, violation(earlier.id)]));
      expect(first).toBe(earlier.id);
    }
  });
});

it('tests every row that is declared', () => {
  const memory = rules.filter(({ id }) => MEMORY.test(id));
  expect(tested.length + memory.length).toBe(rules.length);
  expect(tested.filter(({ id }) => violationOf(id) === undefined)).toEqual([]);
});

it('explains every row in one sentence that says what to do', () => {
  for (const { rule } of rules) expect(rule.explain).toMatch(/^[A-Z].{20,}\.$/);
});
