// A logical processor as sealed, plain, frozen data: what users read and what is serialised.
import type {
  Activity,
  ControlRegister,
  DebugRegister,
  GeneralRegister,
  SegmentRegister,
  SseRegister,
  X87Register,
} from '../register/register-file.js';

/** A segment register with its hidden part. */
export interface SegmentState {
  readonly selector: bigint;
  readonly base: bigint;
  /** In bytes, after the granularity bit was applied: the highest offset. */
  readonly limit: bigint;
  /** Access rights in the format of descriptor bits 55:40; bit 16 is set for an unusable register. */
  readonly attributes: bigint;
}

/** GDTR or IDTR. */
export interface TableState {
  readonly base: bigint;
  readonly limit: bigint;
}

/** One logical processor. Registers are unsigned and 64 bits wide unless printed narrower. */
export interface ProcessorState {
  readonly id: number;
  readonly general: Readonly<Record<GeneralRegister | 'RIP' | 'RFLAGS', bigint>>;
  readonly control: Readonly<Record<ControlRegister, bigint>>;
  readonly debug: Readonly<Record<DebugRegister, bigint>>;
  readonly segments: Readonly<Record<SegmentRegister, SegmentState>>;
  readonly descriptorTables: Readonly<Record<'GDTR' | 'IDTR', TableState>>;
  /** XMM0 to XMM15 are 128 bits wide. */
  readonly sse: Readonly<Record<SseRegister, bigint>>;
  /** R0 to R7 are 80 bits wide and stand by their place, whatever the top of the stack is. */
  readonly x87: Readonly<Record<X87Register, bigint>>;
  /** By name as printed. */
  readonly msrs: Readonly<Record<string, bigint>>;
  /** By name: `APIC_TPR`. */
  readonly localApic: Readonly<Record<string, bigint>>;
  readonly internal: {
    /** Index into ACTIVITY. */
    readonly activity: bigint;
    readonly interruptShadow: bigint;
    readonly nmiBlocked: bigint;
    /** What waits to be taken at the next boundary: bits of PENDING. */
    readonly pendingEvents: bigint;
    /** Of a startup IPI that waits. */
    readonly startupVector: bigint;
    /** Debug exceptions that wait, as bits of DR6. */
    readonly pendingDebug: bigint;
    /** Virtual time: one a step unless a plugin prices it. */
    readonly cycles: bigint;
    /** Where the generator of RDRAND and RDSEED stands. */
    readonly randomState: bigint;
    /** 1 while bit 20 of physical addresses is masked (the pin A20M#). */
    readonly A20M: bigint;
    /** 1 while the processor executes software of a guest. */
    readonly guestMode: bigint;
  };
  readonly activity: Activity;
  /** One slice a plugin, by plugin name. */
  readonly plugins: Readonly<Record<string, unknown>>;
}
