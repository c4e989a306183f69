// definePlugin: everything that a plugin may add to a machine, all optional and all typed.
import type { AcpiTable } from '../boot/acpi-table.js';
import type { EventDefinition } from '../event/define.js';
import type { InstructionDefinition, IntrinsicsOf } from '../instruction/define.js';
import type { FaultExplanation } from '../interrupt/fault-explanations.js';
import type { BoundaryEvent, EventName } from '../interrupt/pending-events.js';
import type { TranslationBuffer } from '../memory/translation-buffer.js';
import type { FeatureSwitch } from '../profile/feature-switch.js';
import type { ProcessorProfile, Vendor } from '../profile/profile.js';
import type { MsrDefinition } from '../register/msrs.js';
import type { Hazard } from '../rule/hazard.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import type { MachineState } from '../state/machine.js';
import type { GuestMode } from './guest-mode.js';
import type { MachineDefinition } from './host.js';
import type { Intercepts } from './intercepts.js';
import type { SliceDeclaration } from './slice.js';

/** The version of this interface. A plugin made for another one is refused by name. */
export const PLUGIN_API_VERSION = 1;

/** A CPUID feature that the plugin models, so that the profile's bit may be shown. */
export interface CpuidFeature {
  readonly leaf: number;
  readonly subleaf?: number;
  readonly register: 'eax' | 'ebx' | 'ecx' | 'edx';
  /** Bits of the register that the plugin answers for. */
  readonly mask: number;
}

/** A bit of a control register or EFER that software may set once the plugin is there and the profile has it. */
export interface RegisterBitExtension {
  readonly register: 'CR0' | 'CR4' | 'IA32_EFER';
  readonly name: string;
  readonly bit: number;
  readonly existsWhen?: (profile: ProcessorProfile) => boolean;
  /** Called before the register takes a value that changes the bit; may raise. */
  readonly beforeChange?: (cpu: Cpu, set: boolean) => void;
}

/** I/O ports that answer. `value` and the result are of `bytes` bytes, unsigned. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
  readonly read?: (cpu: Cpu, port: number, bytes: 1 | 2 | 4) => number;
  readonly write?: (cpu: Cpu, port: number, value: number, bytes: 1 | 2 | 4) => void;
}

/**
 * Physical addresses that a device answers instead of RAM (memory-mapped I/O). An access of 8 bytes is two of 4, the lower
 * first; what reaches over the end of the range meets nobody. Values are unsigned.
 */
export interface DeviceMemory {
  readonly first: number;
  readonly last: number;
  readonly read?: (cpu: Cpu, address: number, bytes: 1 | 2 | 4) => number;
  readonly write?: (cpu: Cpu, address: number, value: number, bytes: 1 | 2 | 4) => void;
}

/** A device that acts by itself. Times are virtual, in cycles (CYCLES_PER_SECOND), as safe integers. */
export interface DeviceTimer {
  /** When it acts next; undefined: never. A function of the plugin's machine slice, asked again whenever that changed. */
  readonly deadline: (draft: MachineDraft) => number | undefined;
  /** The deadline is reached: `now` is not before it. Must move the deadline on. */
  readonly expire: (draft: MachineDraft, now: number) => void;
}

/** A timer of each processor, on its own clock in cycles. */
export interface ProcessorTimer {
  /** When it expires; Infinity: never. A function of the processor's registers; `draft.runner.reschedule()` if it moved. */
  readonly deadline: (cpu: Cpu) => number;
  /** The deadline is reached. Must move it on. */
  readonly expire: (cpu: Cpu, now: number) => void;
}

/** What may be taken at a boundary, and the event of core before which it stands: without one, after all of them. */
export interface PluginBoundaryEvent extends BoundaryEvent {
  readonly before?: EventName;
}

/** A register that a plugin adds to each processor. */
export interface PluginRegister {
  /** Bits. */
  readonly width: 32 | 64;
  /** Value after RESET; default 0. */
  readonly reset?: bigint;
}

/** An interrupt controller beside the local APICs: what the 8259 and the I/O APIC are. */
export interface InterruptController {
  /** A line changed its level: 0 to 15 are those of the ISA bus, above that inputs of the I/O APIC. */
  readonly lineChanged: (draft: MachineDraft, line: number, high: boolean) => void;
  /** The INTA cycle of the controller that drives INTR (draft.requestInterrupt): the vector. */
  readonly acknowledge?: (draft: MachineDraft) => number;
  /** A local APIC sends EOI for a level-triggered interrupt. */
  readonly endOfInterrupt?: (draft: MachineDraft, vector: number) => void;
}

/** A named table of a state, for the cli and the viewer. */
export interface View {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | bigint)[])[];
}

/** A named place of a plugin, such as a VMCS field, as a place that core knows. */
export interface PluginLocation {
  /** The register or physical range behind the name at this state, if there is one now. */
  readonly resolve: (
    name: string,
    state: MachineState,
    processor: number,
  ) =>
    | { readonly kind: 'memory'; readonly address: number; readonly bytes: number }
    | { readonly kind: 'register'; readonly register: string }
    | undefined;
  /** Names that are accepted, for messages and completion. */
  readonly names: readonly string[];
}

/** A plugin as it is written. */
export interface PluginDeclaration<
  Instructions extends readonly InstructionDefinition[] = readonly InstructionDefinition[],
> {
  readonly name: string;
  readonly version: string;
  readonly apiVersion: number;
  /** Names of plugins that must be there too. */
  readonly requires?: readonly string[];
  /** Extensions of one vendor cannot stand beside those of the other, nor on the other's profile. */
  readonly vendor?: Vendor;
  /** What distinguishes this instance: plain data that goes into the trace header, so that a replay is made alike. */
  readonly configuration?: unknown;
  readonly machineSlice?: SliceDeclaration;
  readonly processorSlice?: SliceDeclaration;
  readonly cpuid?: readonly CpuidFeature[];
  /** Features that a machine can be made without, by name: what becomes of its profile then. */
  readonly features?: Readonly<Record<string, FeatureSwitch>>;
  readonly msrs?: Readonly<Record<string, MsrDefinition>>;
  readonly registerBits?: readonly RegisterBitExtension[];
  readonly ports?: readonly PortRange[];
  readonly deviceMemory?: readonly DeviceMemory[];
  readonly timer?: DeviceTimer;
  readonly interruptController?: InterruptController;
  /** Tables by which firmware describes what the plugin adds, where a machine is booted as a PC: `SRAT`. */
  readonly acpiTables?: (definition: MachineDefinition) => readonly AcpiTable[];
  /** A TLB whose contents are state: of one plugin at most. */
  readonly translations?: TranslationBuffer;
  readonly instructions?: Instructions;
  readonly intercepts?: Intercepts;
  /**
   * The mnemonics (as in the table of instructions: `MOV CR`) that `intercepts.beforeInstruction` wants to see. Without
   * it all are shown to it, and nothing is compiled.
   */
  readonly interceptedInstructions?: readonly string[];
  /** Registers of each processor that no instruction names, by name: `vmx.EPTP` of plugin vmx has the name `EPTP` here. */
  readonly registers?: Readonly<Record<string, PluginRegister>>;
  readonly guestMode?: GuestMode;
  /** What may be taken between two instructions beside the events of core. */
  readonly boundaryEvents?: readonly PluginBoundaryEvent[];
  readonly processorTimer?: ProcessorTimer;
  readonly events?: readonly EventDefinition[];
  readonly hazards?: readonly Hazard[];
  /** What `why` says of the rules, by id, that intercepts and MSR writes raise: those of instructions explain themselves. */
  readonly explanations?: Readonly<Record<string, FaultExplanation>>;
  readonly views?: Readonly<Record<string, (state: MachineState, definition: MachineDefinition) => readonly View[]>>;
  /** By prefix: `vmcs` answers for `vmcs:Guest RIP`. */
  readonly locations?: Readonly<Record<string, PluginLocation>>;
  /** Physical frames to watch in a state: what cpu.memory.watch had asked for when the state was sealed. */
  readonly watchedFrames?: (state: MachineState) => Iterable<number>;
}

export type Plugin<Instructions extends readonly InstructionDefinition[] = readonly InstructionDefinition[]> = Readonly<
  PluginDeclaration<Instructions>
>;

/** Declares a plugin. Conflicts and missing dependencies are found when a machine is made of it. */
export function definePlugin<const Instructions extends readonly InstructionDefinition[] = readonly []>(
  declaration: PluginDeclaration<Instructions>,
): Plugin<Instructions> {
  return Object.freeze(declaration);
}

type Union<Values> = Values extends readonly (infer Value)[] ? Value : never;
type Intersection<Values> = (Values extends unknown ? (value: Values) => void : never) extends (
  value: infer Result,
) => void
  ? Result
  : never;

/** The intrinsics that a list of plugins adds to each processor. */
export type PluginIntrinsics<Plugins extends readonly Plugin[]> = Intersection<
  IntrinsicsOf<
    Union<Plugins[number] extends { readonly instructions?: infer Instructions } ? NonNullable<Instructions> : never>
  >
>;
