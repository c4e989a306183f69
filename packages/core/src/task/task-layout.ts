// SDM, "Task-State Segment (TSS)" and "16-Bit Task-State Segment (TSS)": where the state of a task stands in its TSS, as a
// table of two formats.
import type { SegmentRegister } from '../register/register-file.js';

/** One format of a TSS. Offsets in bytes; general registers follow each other in the order of their encodings. */
export interface TaskLayout {
  /** Bytes of a register. Selectors have two in either format. */
  readonly bytes: 2 | 4;
  /** The least limit of a segment that holds the whole format. */
  readonly limit: number;
  readonly instructionPointer: number;
  readonly flags: number;
  readonly general: number;
  /** The selectors that are saved, each `bytes` apart. */
  readonly selectors: number;
  readonly segments: readonly Extract<SegmentRegister, 'ES' | 'CS' | 'SS' | 'DS' | 'FS' | 'GS'>[];
  readonly ldt: number;
  /** Only the 32-bit format has CR3 and the debug trap flag. */
  readonly pageDirectoryBase?: number;
  readonly trap?: number;
}

/** Offset of the selector of the task that this one is nested in. */
export const PREVIOUS_TASK_LINK = 0;

const TSS_16: TaskLayout = {
  bytes: 2,
  limit: 0x2b,
  instructionPointer: 14,
  flags: 16,
  general: 18,
  selectors: 34,
  segments: ['ES', 'CS', 'SS', 'DS'],
  ldt: 42,
};

const TSS_32: TaskLayout = {
  bytes: 4,
  limit: 0x67,
  pageDirectoryBase: 28,
  instructionPointer: 32,
  flags: 36,
  general: 40,
  selectors: 72,
  segments: ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'],
  ldt: 96,
  trap: 100,
};

const IS_32_BIT = 8;

/** The format that a descriptor's type names. */
export const taskLayout = (type: number): TaskLayout => ((type & IS_32_BIT) !== 0 ? TSS_32 : TSS_16);
