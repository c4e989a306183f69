// SDM, "RDMSR—Read From Model Specific Register", "WRMSR—Write to Model Specific Register". What an MSR is, is a row of
// register/msr-table.ts or of a plugin; here is what all of them share, and what IA32_EFER has of its own.
import type { Outcome } from '../event/outcome.js';
import { GP, GuestFault } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import { isCanonicalForProcessor } from '../memory/canonical.js';
import type { InstalledMsr } from '../plugin/host.js';
import { allowedBits } from '../register/control-register-write.js';
import { firstViolation } from '../rule/rule.js';
import type { Cpu } from '../state/cpu.js';
import { defineInstruction, type FaultRow } from './define.js';
import { privileged } from './privilege.js';

const LOW_HALF = 0xffff_ffffn;
const EFER_ADDRESS = 0xc000_0080;

/** ECX chooses the MSR. */
const msrOf = (cpu: Cpu): InstalledMsr | undefined => cpu.definition.msrs.get(Number(cpu.RCX & LOW_HALF));
/** EDX:EAX. */
const edxEax = (cpu: Cpu): bigint => ((cpu.RDX & LOW_HALF) << 32n) | (cpu.RAX & LOW_HALF);

const unknownMsr = (mnemonic: string): FaultRow => ({
  id: `core.${mnemonic}.address`,
  fields: ['RCX'],
  when: (cpu) => msrOf(cpu) === undefined,
  raise: GP(0),
  explain: 'ECX names no MSR of this processor and its plugins.',
});

export const RDMSR = defineInstruction({
  mnemonic: 'RDMSR',
  manual: sdm('RDMSR—Read From Model Specific Register'),
  reads: ['RCX', 'SS.attributes'],
  writes: ['RAX', 'RDX'],
  flags: 'unaffected',
  faults: [privileged('RDMSR'), unknownMsr('rdmsr')],
  intrinsics: { rdmsr: { operands: [], registers: ['RCX'], result: edxEax } },
  effect(cpu) {
    const msr = msrOf(cpu);
    if (msr === undefined) return undefined; // refused by a row above
    const value = msr.read?.(cpu) ?? cpu.readSlot(msr.slot);
    const taken = intercepted(cpu, msr, false, value);
    if (taken !== undefined) return taken;
    cpu.RAX = value & LOW_HALF; // bits 63:32 of both registers are cleared
    cpu.RDX = value >> 32n;
    return undefined;
  },
});

/**
 * What WRMSR does with CPL 0 for whoever loads MSRs by itself; false if it would raise an exception, and then nothing
 * changed. Plugins' `msr` intercepts are not asked.
 */
export function loadMsr(cpu: Cpu, address: number, value: bigint): boolean {
  const { RAX, RCX, RDX } = cpu;
  [cpu.RCX, cpu.RAX, cpu.RDX] = [BigInt(address), value & LOW_HALF, value >> 32n];
  try {
    const execution = { cpu, operands: [], operandWidth: 64 } as const;
    const rules = WRMSR.checks.filter(({ id }) => id !== 'core.wrmsr.cpl');
    const msr = msrOf(cpu);
    if (msr === undefined || firstViolation(rules, execution) !== undefined) return false;
    write(cpu, msr, value);
    return true;
  } catch (thrown) {
    if (thrown instanceof GuestFault) return false;
    throw thrown;
  } finally {
    [cpu.RAX, cpu.RCX, cpu.RDX] = [RAX, RCX, RDX];
  }
}

/** What RDMSR would read with CPL 0; undefined if it would raise an exception. */
export function storedMsr(cpu: Cpu, address: number): bigint | undefined {
  const msr = cpu.definition.msrs.get(address);
  if (msr === undefined) return undefined;
  try {
    return msr.read?.(cpu) ?? cpu.readSlot(msr.slot);
  } catch (thrown) {
    if (thrown instanceof GuestFault) return undefined;
    throw thrown;
  }
}

/** An MSR takes a value that passed the checks. */
function write(cpu: Cpu, msr: InstalledMsr, value: bigint): void {
  if (msr.write === undefined) cpu.writeSlot(msr.slot, value);
  else msr.write(cpu, value);
}

const eferRow = (
  row: Omit<FaultRow, 'when' | 'raise'> & { readonly refused: (cpu: Cpu, value: bigint) => boolean },
): FaultRow => {
  const { refused, ...rest } = row;
  return { ...rest, raise: GP(0), when: (cpu) => msrOf(cpu)?.address === EFER_ADDRESS && refused(cpu, edxEax(cpu)) };
};

export const WRMSR = defineInstruction({
  mnemonic: 'WRMSR',
  manual: sdm('WRMSR—Write to Model Specific Register'),
  reads: ['RCX', 'RAX', 'RDX', 'SS.attributes'],
  writes: [],
  flags: 'unaffected',
  faults: [
    privileged('WRMSR'),
    unknownMsr('wrmsr'),
    {
      id: 'core.wrmsr.read-only',
      fields: ['RCX'],
      when: (cpu) => msrOf(cpu)?.readOnly === true,
      raise: GP(0),
      explain: 'The MSR that ECX names is read-only.',
    },
    {
      id: 'core.wrmsr.reserved',
      fields: ['RCX', 'RDX', 'RAX'],
      when: (cpu) => (edxEax(cpu) & (msrOf(cpu)?.reserved ?? 0n)) !== 0n,
      raise: GP(0),
      explain: 'A reserved bit of the MSR is 1 in EDX:EAX: write it as 0.',
    },
    {
      id: 'core.wrmsr.canonical',
      fields: ['RCX', 'RDX', 'RAX'],
      when: (cpu) => msrOf(cpu)?.canonical === true && !isCanonicalForProcessor(cpu, edxEax(cpu)),
      raise: GP(0),
      explain: 'The MSR holds a linear address: EDX:EAX must be canonical.',
    },
    eferRow({
      id: 'core.wrmsr.efer-reserved',
      fields: ['RDX', 'RAX'],
      refused: (cpu, value) => (value & ~allowedBits(cpu.definition, 'IA32_EFER')) !== 0n,
      explain: 'A bit of IA32_EFER is reserved unless CPUID reports its feature: write it as 0.',
    }),
    eferRow({
      id: 'core.wrmsr.efer-lme-paging',
      fields: ['CR0.PG', 'IA32_EFER.LME', 'RAX'],
      refused: (cpu, value) => cpu.CR0.PG && cpu.EFER.LME !== (((value >> 8n) & 1n) === 1n),
      explain: 'IA32_EFER.LME cannot change while paging is on: clear CR0.PG first.',
    }),
  ],
  intrinsics: { wrmsr: { operands: [], registers: ['RCX', 'EDX:EAX'] } },
  effect(cpu) {
    const msr = msrOf(cpu);
    if (msr === undefined) return undefined; // refused by a row above
    const value = edxEax(cpu);
    const taken = intercepted(cpu, msr, true, value);
    if (taken !== undefined) return taken;
    write(cpu, msr, value);
    return undefined;
  },
});

function intercepted(cpu: Cpu, { address, name }: InstalledMsr, write: boolean, value: bigint): Outcome | undefined {
  for (const intercept of cpu.definition.intercepts.msr) {
    const taken = intercept(cpu, { address, name, write, value });
    if (taken !== undefined) return taken;
  }
  return undefined;
}
