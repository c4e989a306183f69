// The public API of @retrovisor/core: re-exports only. Files and streams are in @retrovisor/core/node.
export { type AcpiField, type AcpiTable, acpiFields } from './boot/acpi-table.js';
export {
  BOOT_LAYOUT,
  type BootImage,
  type BootMode,
  type ImageSegment,
  longMode,
  rawImage,
} from './boot/boot-image.js';
export { bootSectorImage } from './boot/boot-sector.js';
export { type ElfProgram, isElf, parseElf } from './boot/elf.js';
export { elfImage } from './boot/elf-image.js';
export { elfSymbols } from './boot/elf-symbols.js';
export { detectImageFormat, type GuestImageOptions, guestImage, type ImageFormat } from './boot/guest-image.js';
export { type MemoryMapEntry, memoryMap } from './boot/memory-map.js';
export { findMultibootHeader, type MultibootHeader, type MultibootOptions, multibootImage } from './boot/multiboot.js';
export type { BootModule } from './boot/multiboot-information.js';
export type { CompiledListing, ListedExit, ListedInstruction, ListedLine } from './compile/listing.js';
export {
  type Hex,
  type InstructionVector,
  type MemoryRun,
  parseVector,
  type VectorPlace,
  type VectorState,
} from './conformance/vector.js';
export { type VectorDifference, VectorRunner, type VectorRunnerOptions } from './conformance/vector-runner.js';
export * from './error.js';
export { type Applied, apply } from './event/apply.js';
export * from './event/codec.js';
export { defineEvent, type EventDefinition, type Payload } from './event/define.js';
export type { Emission } from './event/emission.js';
export * from './event/event.js';
export * from './event/outcome.js';
export type { CodeWidth, Decoded } from './execute/decode.js';
export { type Disassembled, disassemble } from './execute/disassemble.js';
export * from './expression/build.js';
export type * from './expression/nodes.js';
export * from './instruction/define.js';
export { loadMsr, storedMsr } from './instruction/msr.js';
export type { Operand } from './instruction/operand.js';
export { enterDebugHandler } from './interrupt/debug-status.js';
export { deliverEvent, deliverException } from './interrupt/delivery.js';
export * from './interrupt/exceptions.js';
export type { FaultExplanation } from './interrupt/fault-explanations.js';
export type { Delivery, DeliveryType } from './interrupt/gate.js';
export { takeOver } from './interrupt/interception.js';
export {
  type DeliveryMode,
  type Destination,
  type InterruptMessage,
  sendInterrupt,
} from './interrupt/interrupt-message.js';
export { ioApic } from './interrupt/io-apic.js';
export { isPending, PENDING, setPending } from './interrupt/pending-bits.js';
export {
  acknowledgeExternalInterrupt,
  type BoundaryEvent,
  type EventName,
} from './interrupt/pending-events.js';
export { pic } from './interrupt/pic.js';
export { CYCLES_PER_SECOND } from './interrupt/virtual-time.js';
export { EventLog, type LogEntry } from './machine/log.js';
export {
  type AppliedEvent,
  createMachine,
  Machine,
  type RunResult,
  resumeMachine,
} from './machine/machine.js';
export type { Processor } from './machine/processor.js';
export type { RunStop } from './machine/run-stop.js';
export { APM_REVISION, type ApmTitle, apm } from './manual/apm.js';
export { type Citation, formatCitation } from './manual/citation.js';
export { SDM_REVISION, type SdmTitle, sdm } from './manual/sdm.js';
export { isA20GateOpen, setA20Gate } from './memory/a20.js';
export { type EffectiveMemoryType, type MemoryType, memoryTypeOf } from './memory/memory-type.js';
export {
  type AccessKind,
  type PageTranslation,
  type PagingContext,
  type PagingEntry,
  type PagingMode,
  walk,
} from './memory/paging.js';
export { havePdptesReservedBits, pdptesInMemory, setPdptes } from './memory/pdpte-registers.js';
export { staleTlb } from './memory/stale-tlb.js';
export type {
  BufferedTranslation,
  Invalidation,
  KeptTranslation,
  TranslationBuffer,
} from './memory/translation-buffer.js';
export { acpiPower, powerButtonPressed } from './platform/acpi-power.js';
export { debugConsole } from './platform/debug-console.js';
export { type FwCfgOptions, fwCfg } from './platform/fw-cfg.js';
export { hpet, replacesLegacyTimers } from './platform/hpet.js';
export { machineCheckOccurred, machineChecks } from './platform/machine-check.js';
export { nmiButton, nmiPressed } from './platform/nmi-button.js';
export { pcTestdev } from './platform/pc-testdev.js';
export { pci } from './platform/pci.js';
export { pit } from './platform/pit.js';
export { keyPressed, ps2 } from './platform/ps2.js';
export { rtc, rtcStartingAt } from './platform/rtc.js';
export { shutdownPort } from './platform/shutdown-port.js';
export { randomSupplied, suppliedRandomness } from './platform/supplied-randomness.js';
export { systemControlPort } from './platform/system-control-port.js';
export { receiverRoom, SERIAL_PORTS, type SerialPort, serialPorts, serialReceived, uart } from './platform/uart.js';
export * from './plugin/define.js';
export {
  type Guest,
  type GuestMode,
  type GuestPage,
  isInGuestMode,
  type SecondLevel,
  type SecondLevelAccess,
  type TranslationTag,
} from './plugin/guest-mode.js';
export {
  defineMachine,
  type InstalledIntrinsic,
  type InstalledMsr,
  type MachineDefinition,
  type MachineOptions,
} from './plugin/host.js';
export type * from './plugin/intercepts.js';
export { defineSlice, type Slice, type SliceDeclaration, type SliceHome } from './plugin/slice.js';
export { lookUpCpuid } from './profile/cpuid-lookup.js';
export { baseName, type FeatureSwitch } from './profile/feature-switch.js';
export type { CpuidLeaf, ProcessorProfile, Vendor } from './profile/profile.js';
export { findProfile, PROFILES } from './profile/profiles.js';
export { defineRegisterBits, type RegisterBits } from './register/bits.js';
export { allowedBits } from './register/control-register-write.js';
export { CR0, CR4, EFER } from './register/control-registers.js';
export type { MsrDefinition } from './register/msrs.js';
export {
  ACTIVITY,
  type Activity,
  GENERAL_REGISTERS,
  SEGMENT_REGISTERS,
  type SegmentRegister,
  SHADOW,
  slotOf,
} from './register/register-file.js';
export { RFLAGS, STATUS_FLAGS } from './register/rflags.js';
export { defineHazards, type Hazard, type HazardReport } from './rule/hazard.js';
export * from './rule/rule.js';
export { explainRule, type RuleExplanation } from './rule/rule-explanation.js';
export type { Cpu, Mode } from './state/cpu.js';
export type { MachineDraft } from './state/draft.js';
export { initialState } from './state/initial-state.js';
export type { MachineState, TurnState } from './state/machine.js';
export { PhysicalMemory, type PhysicalRange, ramRanges } from './state/memory.js';
export type { ProcessorState, SegmentState, TableState } from './state/processor.js';
export { type Difference, diff } from './timeline/diff.js';
export {
  type CodeLine,
  codeAt,
  readLinear,
  type StackWord,
  stackAt,
  type Viewpoint,
} from './timeline/inspection.js';
export {
  type Location,
  parseLocation,
  type ResolvedLocation,
  readLocation,
  resolveLocation,
} from './timeline/location.js';
export { type ChangedStep, type RegisterChange, stepsWithChanges } from './timeline/register-changes.js';
export { describeEvent, type Step } from './timeline/step.js';
export { type Anchors, type ForkPoint, Timeline } from './timeline/timeline.js';
export type { ExplainedViolation, Explanation, ReadField } from './timeline/why.js';
export { definitionOf, type MachineParts, type PluginFactory } from './trace/definition-of.js';
export { formatDigest, stateDigest } from './trace/digest.js';
export type { TraceDamage } from './trace/directory.js';
export { FORMAT_VERSION as TRACE_FORMAT_VERSION, isTrace } from './trace/format.js';
export type { RecordedPlugin, TraceHeader } from './trace/header.js';
export { type MemorySink, memorySink } from './trace/in-memory.js';
export { type OpenTraceOptions, openTrace, type RecordedDigest, type Trace } from './trace/reader.js';
export { type Recording, type RecordOptions, recordMachine, writeTrace } from './trace/record.js';
export { logOf, type Verification, type VerifyOptions, verify } from './trace/replay.js';
export type { TraceSource } from './trace/source.js';
export { type TraceSink, TraceWriter, type TraceWriterOptions } from './trace/writer.js';
