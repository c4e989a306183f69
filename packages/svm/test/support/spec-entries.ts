// The inventories as data: what entries of each file the tests look at.
import cpuidAndMsrs from '../spec/svm-cpuid-msrs.json' with { type: 'json' };
import instructions from '../spec/svm-instructions.json' with { type: 'json' };
import vmcb from '../spec/svm-vmcb.json' with { type: 'json' };

export interface InstructionEntry {
  readonly id: string;
  readonly instruction: string;
  readonly order: number;
  readonly outcome: string;
}
interface CpuidEntry {
  readonly id: string;
  readonly leaf: string;
  readonly register: string;
  readonly bit: string | number;
}
interface MsrEntry {
  readonly id: string;
  readonly address: string;
  readonly name: string;
}
interface VmcbEntry {
  readonly id: string;
  readonly area: string;
  readonly offset: string;
  readonly size: number;
  readonly name: string;
  readonly bits?: Readonly<Record<string, string>>;
  readonly loadedBy?: string;
}

export const INSTRUCTION_ENTRIES: readonly InstructionEntry[] = instructions.entries;
export const VMCB_ENTRIES = vmcb.entries as readonly unknown[] as readonly VmcbEntry[];

const mixed = cpuidAndMsrs.entries as readonly unknown[] as readonly (CpuidEntry | MsrEntry)[];
export const CPUID_ENTRIES: readonly CpuidEntry[] = mixed.filter((entry): entry is CpuidEntry => 'leaf' in entry);
export const MSR_ENTRIES: readonly MsrEntry[] = mixed.filter((entry): entry is MsrEntry => 'address' in entry);
