// MSRs: the form of a definition. The architectural MSRs of the base machine are in register/msr-table.ts.
import { GP, raise } from '../interrupt/exceptions.js';
import type { Citation } from '../manual/citation.js';
import type { ProcessorProfile } from '../profile/profile.js';
import type { Cpu } from '../state/cpu.js';

/** One MSR by its address. Access to an address that nobody defines is #GP(0). */
export interface MsrDefinition {
  readonly address: number;
  /** Value after RESET; absent: the profile's value for the address, or 0. */
  readonly reset?: bigint;
  /** Not there on processors for which this is false: #GP(0). */
  readonly existsWhen?: (profile: ProcessorProfile) => boolean;
  /** Bits that must be written as 0, else #GP(0). */
  readonly reserved?: bigint;
  /** WRMSR raises #GP(0). */
  readonly readOnly?: boolean;
  /** Must hold a canonical address, else #GP(0). */
  readonly canonical?: boolean;
  /** The register that the MSR is another name of: `FS.base`. */
  readonly aliasOf?: string;
  /** What RDMSR returns, when it is not the stored value. */
  readonly read?: (cpu: Cpu) => bigint;
  /** Does the write, after the checks above; may raise. Absent: the value is stored. */
  readonly write?: (cpu: Cpu, value: bigint) => void;
  readonly manual?: Citation;
}

/** What a write-only MSR has: a command to the processor that has nothing to do here. RDMSR is #GP(0). */
export const COMMAND = { read: () => raise(GP(0), 'core.rdmsr.write-only'), write: () => {} } as const;
