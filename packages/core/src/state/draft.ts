// The mutable working form of a machine: one or many events are applied inside it, and it is sealed into a state when
// someone looks. Hot state lies in a workbench, plugin slices in Immer drafts.
import { assert, UsageError } from '../error.js';
import type { Emission } from '../event/emission.js';
import { settleFlags } from '../execute/evaluate/flags.js';
import { Runner } from '../execute/runner.js';
import { breakpointsOnData, waitsFor } from '../interrupt/debug-status.js';
import type { Delivery } from '../interrupt/gate.js';
import { raiseLint0, raiseLint1 } from '../interrupt/local-vector-table.js';
import { PENDING, setPending } from '../interrupt/pending-bits.js';
import { Timers } from '../interrupt/timers.js';
import { machineTime } from '../interrupt/virtual-time.js';
import { DeviceBus } from '../memory/device-memory.js';
import { type AccessObserver, SoftwareTlb } from '../memory/tlb.js';
import type { TlbContext } from '../memory/tlb-context.js';
import { EVERYTHING, type Invalidation } from '../memory/translation-buffer.js';
import { type Guest, guestOf } from '../plugin/guest-mode.js';
import type { MachineDefinition } from '../plugin/host.js';
import type { SliceHome } from '../plugin/slice.js';
import type { HazardReport } from '../rule/hazard.js';
import { AccessLog } from './access-log.js';
import { Cpu } from './cpu.js';
import type { MachineState, TurnState } from './machine.js';
import { framesOf, PhysicalMemory } from './memory.js';
import { type MemoryDependents, PhysicalDraft } from './physical-draft.js';
import { type ProcessorContext, ProcessorContexts } from './processor-context.js';
import { loadProcessor, sealProcessor } from './seal-processor.js';
import { SliceDraft } from './slice-draft.js';
import { WINDOW_OFFSET, WINDOW_SLOTS, type Workbench } from './workbench.js';
import type { WriteTrace } from './write-trace.js';

/** Before any processor has its turn nothing is translated. */
const NO_CONTEXT: TlbContext = {
  mode: 'none',
  root: 0,
  pdptes: [],
  user: false,
  writeProtect: false,
  executeDisable: false,
  smep: false,
  smap: false,
  userKeys: 0,
  supervisorKeys: 0,
  largePages: false,
  physicalBits: 52,
  upperGlobalReserved: false,
  a20Masked: false,
  guest: undefined,
  protectedMode: false,
  linearBits: 32,
  alignmentCheck: false,
};

/** A machine being changed. Not shared and not kept: only `seal` makes anything that lasts. */
export class MachineDraft implements SliceHome, MemoryDependents, AccessObserver {
  readonly definition: MachineDefinition;
  readonly bench: Workbench;
  readonly memory: PhysicalDraft;
  readonly tlb: SoftwareTlb;
  readonly slices = new SliceDraft();
  readonly runner: Runner;
  readonly timers: Timers;
  readonly devices: DeviceBus;
  /** Undefined: nobody observes accesses in batches. */
  readonly accesses: AccessLog | undefined;
  /** Reports since they were last taken (`takeHazards`). */
  hazards: HazardReport[] = [];
  emissions: Emission[] = [];
  /** Set while an origin is searched. */
  writeTrace: WriteTrace | undefined;
  turn: TurnState;
  /** The event whose delivery is under way, or was when an exception was raised that nobody was asked of yet. */
  delivering: Delivery | undefined;
  /** What the guest of the current processor wants, if it is in guest mode. */
  guest: Guest | undefined;
  readonly #cpus: readonly Cpu[];
  readonly #contexts = new ProcessorContexts();
  /** The one that was entered last. */
  #context: ProcessorContext | undefined;
  readonly #window: Int32Array;
  readonly #parked: readonly Int32Array[];
  #current: Cpu;
  #sealed: MachineState;
  #basePosition: number;
  #isLoading = false;

  constructor(definition: MachineDefinition, bench: Workbench, state: MachineState) {
    this.definition = definition;
    this.bench = bench;
    const slots = definition.registers.slotCount;
    assert(slots <= WINDOW_SLOTS, 'more registers than the window has slots', { slots, window: WINDOW_SLOTS });
    const words = slots * 2;
    this.#window = bench.words.subarray(WINDOW_OFFSET / 4, WINDOW_OFFSET / 4 + words);
    this.#parked = state.processors.map(() => new Int32Array(words));
    this.#cpus = state.processors.map(({ id }) => new Cpu(this, id, this.#parked[id] as Int32Array));
    this.memory = new PhysicalDraft(bench, framesOf(state.memory), state.memory.ranges, this);
    const { memoryAccesses } = definition.intercepts;
    this.accesses = memoryAccesses.length === 0 ? undefined : new AccessLog(bench, this.memory, memoryAccesses);
    this.devices = new DeviceBus(this);
    this.timers = new Timers(this);
    this.tlb = new SoftwareTlb(bench, this.memory, this, NO_CONTEXT);
    this.runner = new Runner(this);
    this.#current = this.#cpus[0] as Cpu;
    this.#sealed = state;
    this.#basePosition = state.position;
    this.turn = state.turn;
    this.load(state);
  }

  /** Starts again from a state. */
  load(state: MachineState): void {
    this.accesses?.clear();
    this.runner.forget();
    settleFlags(this.bench.words);
    for (const cpu of this.#cpus) {
      const sealed = state.processors[cpu.id];
      if (sealed === undefined) continue;
      cpu.words = this.#parked[cpu.id] as Int32Array;
      loadProcessor(this.definition.registers.rows, sealed, cpu.words);
    }
    this.memory.load(framesOf(state.memory));
    this.slices.load(
      state.plugins,
      state.processors.map(({ plugins }) => plugins),
    );
    for (const plugin of this.definition.plugins)
      for (const frame of plugin.watchedFrames?.(state) ?? []) this.memory.watch(frame);
    this.hazards = [];
    this.emissions = [];
    this.timers.forget();
    this.delivering = undefined;
    this.turn = state.turn;
    this.#sealed = state;
    this.#basePosition = state.position;
    this.#current = this.#cpus[0] as Cpu;
    this.#moveIn(this.#current);
  }

  /** Position of the event being applied. */
  get position(): number {
    return this.#basePosition + this.runner.stepsBefore;
  }

  /** Moves on after an event. */
  advance(positions: number): void {
    this.#basePosition += positions;
  }

  get processorCount(): number {
    return this.#cpus.length;
  }

  /** A processor; its registers may be read and written whether or not it has the turn. */
  cpu(id: number): Cpu {
    const cpu = this.#cpus[id];
    if (cpu === undefined) {
      throw new UsageError(
        'UNKNOWN_PROCESSOR',
        { processor: id, processors: this.#cpus.length },
        `there is no processor ${id}: 0 to ${this.#cpus.length - 1} are accepted`,
      );
    }
    return cpu;
  }

  /** The processor whose registers lie in the window. */
  get current(): Cpu {
    return this.#current;
  }

  /** Gives a processor the turn: its registers move into the window that closures read. */
  activate(id: number): Cpu {
    const cpu = this.cpu(id);
    if (cpu !== this.#current) {
      settleFlags(this.bench.words);
      const parked = this.#parked[this.#current.id] as Int32Array;
      parked.set(this.#window);
      this.#current.words = parked;
      this.#moveIn(cpu);
    }
    return cpu;
  }

  #moveIn(cpu: Cpu): void {
    this.#window.set(cpu.words);
    cpu.words = this.#window;
    this.#current = cpu;
    if (this.definition.translations !== undefined) this.tlb.flush(); // each processor has its own
    this.#contexts.systemChanged(cpu);
    this.#enterContext(cpu);
  }

  /** Pending status flags exist only for the processor in the window. */
  settleFlags(cpu: Cpu): void {
    if (cpu === this.#current) settleFlags(this.bench.words);
  }

  /** A register that decides the mode, the privilege or the translation was written. */
  contextChanged(cpu: Cpu): void {
    if (cpu !== this.#current || this.#isLoading) return;
    if (this.#contexts.systemChanged(cpu)) this.#enterContext(cpu);
    else this.#enterLevel(cpu);
  }

  /** The same of RFLAGS, CS or SS alone. */
  levelChanged(cpu: Cpu): void {
    if (cpu === this.#current && !this.#isLoading) this.#enterLevel(cpu);
  }

  /** Many registers of a processor are loaded at once: what follows from them is found out afterwards. */
  loadRegisters(cpu: Cpu, load: () => void): void {
    this.#isLoading = true;
    try {
      load();
    } finally {
      this.#isLoading = false;
      this.guestChanged(cpu);
    }
  }

  /** What the guest of a processor wants may have changed, or it entered or left guest mode. */
  guestChanged(cpu: Cpu): void {
    if (cpu !== this.#current) return;
    this.#contexts.forget(cpu);
    this.#enterContext(cpu);
  }

  #enterContext(cpu: Cpu): void {
    this.#context = undefined;
    this.guest = guestOf(cpu);
    const { singleStepping } = this.runner;
    this.tlb.breakpoints = waitsFor(cpu, 'write', 'read or write');
    singleStepping.breakpoints = this.tlb.breakpoints || waitsFor(cpu, 'execute', 'port');
    this.#enterLevel(cpu);
    const { memoryAccess } = this.definition.intercepts;
    const needsEach = this.tlb.breakpoints || memoryAccess.length > 0 || this.writeTrace !== undefined;
    this.tlb.observe(needsEach ? 'each' : this.accesses === undefined ? 'none' : 'batches');
  }

  #enterLevel(cpu: Cpu): void {
    const context = this.#contexts.of(cpu);
    if (context !== this.#context) {
      this.#context = context;
      this.tlb.enter(context.paging);
    }
    this.runner.contextChanged(cpu, context.code);
  }

  /** Until `leaveImplicit`, memory is accessed as the current processor does by itself, with supervisor privilege. */
  enterImplicit(): void {
    this.tlb.enter(this.#contexts.of(this.#current).implicit);
  }

  leaveImplicit(): void {
    this.tlb.enter(this.#contexts.of(this.#current).paging);
  }

  /** No translation that the current processor uses from now on may be older; said of some, those that a model keeps live on. */
  flushTlb(what: Invalidation = EVERYTHING): void {
    this.tlb.flush();
    this.definition.translations?.invalidate(this.#current, what);
  }

  /** A translation that was kept gave way to another one, or is none any more: the block that runs may rely on it. */
  translationDisplaced(): void {
    this.runner.interrupt();
  }

  readSlice(plugin: string): unknown {
    this.accesses?.deliver();
    return this.slices.readMachine(plugin);
  }

  changeSlice(plugin: string, recipe: (slice: never) => void): void {
    this.accesses?.deliver();
    this.slices.changeMachine(plugin, recipe);
    if (this.timers.sliceChanged(plugin)) this.runner.reschedule();
  }

  /** Virtual time as devices see it, in cycles: a safe integer that never goes back. */
  get now(): number {
    return machineTime(this);
  }

  /** A device drives an interrupt line; 0 to 15 are those of the ISA bus. */
  setInterruptLine(line: number, high: boolean): void {
    for (const { interruptController } of this.definition.plugins) interruptController?.lineChanged(this, line, high);
  }

  /** The 8259 drives INTR, which reaches the bootstrap processor. */
  requestInterrupt(asserted: boolean): void {
    const bootstrap = this.cpu(0);
    setPending(bootstrap, PENDING.INTR, asserted);
    if (asserted) raiseLint0(bootstrap);
  }

  /** A source of NMI on the board: LINT1 of every processor. */
  requestNonMaskableInterrupt(): void {
    for (const cpu of this.#cpus) raiseLint1(cpu);
  }

  /** The INTA cycle: the vector of the controller that drives INTR. Without one the bus floats. */
  acknowledgeInterrupt(): number {
    const controller = this.definition.plugins.find(
      ({ interruptController }) => interruptController?.acknowledge !== undefined,
    );
    if (controller?.interruptController?.acknowledge !== undefined)
      return controller.interruptController.acknowledge(this);
    setPending(this.#current, PENDING.INTR, false);
    return 0xff;
  }

  /** A local APIC ended a level-triggered interrupt. */
  endOfInterrupt(vector: number): void {
    for (const { interruptController } of this.definition.plugins) interruptController?.endOfInterrupt?.(this, vector);
  }

  /** A breakpoint may wait for data at a linear address. */
  touched(address: bigint, bytes: number, write: boolean): void {
    this.runner.singleStepping.meet(breakpointsOnData(this.#current, address, bytes, write));
  }

  /** The same draft starts or stops collecting writes. */
  traceWrites(trace: WriteTrace | undefined): void {
    this.writeTrace = trace;
    this.tlb.flush();
    this.#enterContext(this.#current);
  }

  codeWritten(frame: number, offset: number, length: number): boolean {
    return this.runner.codeWritten(frame, offset, length);
  }

  pageTableWritten(): void {
    this.tlb.flush();
    this.runner.interrupt(); // the rest of the block may not be mapped any more
  }

  slotsMoved(): void {
    // The TLB is made after the memory, and has nothing to forget before.
    this.tlb?.flush();
  }

  traced(address: number, bytes: number): void {
    this.writeTrace?.memory(address, bytes);
  }

  accessed(physical: number, bytes: number, write: boolean): void {
    this.observe(this.#current, physical, bytes, write);
  }

  /** A processor made a data access. */
  observe(cpu: Cpu, physical: number, bytes: number, write: boolean): void {
    this.accesses?.append(cpu, physical, bytes, write);
    for (const observe of this.definition.intercepts.memoryAccess) observe(cpu, { physical, bytes, write });
  }

  watchedStore(physical: number, bytes: number): void {
    for (const observe of this.definition.intercepts.watchedStore)
      observe(this.#current, { physical, bytes, write: true });
  }

  /** The hazards reported since the last call. */
  takeHazards(): readonly HazardReport[] {
    if (this.hazards.length === 0) return [];
    const taken = this.hazards;
    this.hazards = [];
    return taken;
  }

  /** The emissions since the last call. */
  takeEmissions(): readonly Emission[] {
    if (this.emissions.length === 0) return [];
    const taken = this.emissions;
    this.emissions = [];
    return taken;
  }

  /** The machine as frozen data: costs what changed since the last seal. */
  seal(): MachineState {
    this.accesses?.deliver();
    settleFlags(this.bench.words);
    const before = this.#sealed;
    const processors = this.#cpus.map((cpu) =>
      sealProcessor(
        this.definition.registers,
        cpu.words,
        before.processors[cpu.id] as MachineState['processors'][number],
        this.slices.sealProcessor(cpu.id),
      ),
    );
    const frames = this.memory.seal();
    this.#sealed = Object.freeze({
      position: this.#basePosition,
      processors: processors.every((processor, id) => processor === before.processors[id])
        ? before.processors
        : Object.freeze(processors),
      memory: frames === framesOf(before.memory) ? before.memory : new PhysicalMemory(frames, before.memory.ranges),
      turn: this.turn,
      plugins: this.slices.sealMachine(),
    });
    return this.#sealed;
  }
}
