// A logical processor inside a draft: what the semantics of instructions, plugins and delivery read and write. Registers
// are named as printed; those with named bits (CR0, CR4, IA32_EFER, RFLAGS) are bit views.

import type { MachineDefinition } from '../plugin/host.js';
import type { SliceHome } from '../plugin/slice.js';
import type { ProcessorProfile } from '../profile/profile.js';
import { type BitHome, type BitView, bitViewClass } from '../register/bits.js';
import { CR0, CR4, EFER } from '../register/control-registers.js';
import {
  ACTIVITY,
  type Activity,
  GENERAL_REGISTERS,
  type GeneralRegister,
  SEGMENT_REGISTERS,
  type SegmentRegister,
  SHADOW,
  slotOf,
} from '../register/register-file.js';
import { RFLAGS, RFLAGS_FIXED } from '../register/rflags.js';
import type { HazardReport } from '../rule/hazard.js';
import type { MachineDraft } from './draft.js';
import type { SegmentState } from './processor.js';
import { CONTEXT_FLAGS, CONTEXT_PART, contextPartOf } from './processor-context.js';
import { StructureMemory } from './structure-memory.js';

/** SDM, "Modes of Operation": what decides sizes, segmentation and which instructions exist. */
export type Mode = 'real' | 'virtual-8086' | 'protected' | 'compatibility' | '64-bit';

const Cr0View = bitViewClass(CR0, slotOf('CR0'));
const Cr4View = bitViewClass(CR4, slotOf('CR4'));
const EferView = bitViewClass(EFER, slotOf('IA32_EFER'));
const RflagsView = bitViewClass(RFLAGS, slotOf('RFLAGS'));

/** The first slot of each segment register: selector, base, limit and attributes follow each other. */
const SEGMENT_SLOTS = Object.fromEntries(
  [...SEGMENT_REGISTERS, 'LDTR' as const, 'TR' as const].map((name) => [name, slotOf(`${name}.selector`)]),
) as Readonly<Record<SegmentRegister, number>>;
const ATTRIBUTES = { L: 1 << 13, DB: 1 << 14 } as const;
const VIRTUAL_8086 = 1 << RFLAGS.bits.VM;

// Slots that are looked at all the time; words are two a slot.
const RFLAGS_SLOT = slotOf('RFLAGS');
const RFLAGS_WORD = RFLAGS_SLOT * 2;
const CODE_ATTRIBUTES_WORD = slotOf('CS.attributes') * 2;
const STACK_ATTRIBUTES_WORD = slotOf('SS.attributes') * 2;
const ACTIVITY_WORD = slotOf('activity') * 2;
const SHADOW_WORD = slotOf('interruptShadow') * 2;
const CYCLES_SLOT = slotOf('cycles');
const FIRST_VECTOR_WORD = slotOf('XMM0') * 2;
const CR8_WORD = slotOf('CR8') * 2;
const TASK_PRIORITY_WORD = slotOf('APIC_TPR') * 2;

type GeneralValues = { [register in GeneralRegister | 'RIP' | 'CR2' | 'CR3' | 'CR8']: bigint };

/** The registers that are plain 64-bit values, as properties. */
export interface Cpu extends GeneralValues {}

/** One logical processor of a draft. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the accessors are defined from the register table below.
export class Cpu implements BitHome, SliceHome {
  readonly id: number;
  readonly draft: MachineDraft;
  /** Physical memory, for what the processor itself reads and writes: structures of a plugin. Observed, never watched. */
  readonly memory: StructureMemory;
  /** The register file as 32-bit words: the hot window on this processor's turn, its parked copy otherwise. */
  words: Int32Array;
  readonly CR0: BitView<keyof typeof CR0.bits & string>;
  readonly CR4: BitView<keyof typeof CR4.bits & string>;
  readonly EFER: BitView<keyof typeof EFER.bits & string>;
  readonly #rflags: BitView<keyof typeof RFLAGS.bits & string>;

  /** Registers as they were when they were last kept, and how many words of them. */
  readonly #kept: Int32Array;
  #keptWords = 0;
  /** The words before the XMM registers, where they were when they were last kept. */
  #first: Int32Array;
  #firstOf: Int32Array;

  constructor(draft: MachineDraft, id: number, words: Int32Array) {
    this.draft = draft;
    this.memory = new StructureMemory(this);
    this.id = id;
    this.words = words;
    this.#kept = new Int32Array(words.length);
    this.#firstOf = words;
    this.#first = words.subarray(0, FIRST_VECTOR_WORD);
    this.CR0 = new Cr0View(this);
    this.CR4 = new Cr4View(this);
    this.EFER = new EferView(this);
    this.#rflags = new RflagsView(this);
  }

  get definition(): MachineDefinition {
    return this.draft.definition;
  }

  get profile(): ProcessorProfile {
    return this.draft.definition.profile;
  }

  /** Position of the event that is being applied: what a hazard report cites. */
  get position(): number {
    return this.draft.position;
  }

  /** RFLAGS with its bits; status flags that are still pending from arithmetic are settled first. */
  get RFLAGS(): BitView<keyof typeof RFLAGS.bits & string> {
    this.draft.settleFlags(this);
    return this.#rflags;
  }

  /** The low half of RFLAGS, whose upper half is reserved, as a signed integer; settled first as RFLAGS is. */
  get EFLAGS(): number {
    this.draft.settleFlags(this);
    return this.words[RFLAGS_WORD] as number;
  }

  set EFLAGS(value: number) {
    this.draft.settleFlags(this);
    const changed = (this.words[RFLAGS_WORD] as number) ^ value;
    this.words[RFLAGS_WORD] = value;
    if ((changed & CONTEXT_FLAGS) !== 0) this.draft.levelChanged(this);
    this.draft.writeTrace?.register(this.id, RFLAGS_SLOT);
  }

  /** Current privilege level: SS.DPL, which is 0 in real-address mode and 3 in virtual-8086 mode. */
  get CPL(): number {
    return ((this.words[STACK_ATTRIBUTES_WORD] ?? 0) >> 5) & 3;
  }

  get mode(): Mode {
    if (!this.CR0.PE) return 'real';
    if ((this.words[RFLAGS_WORD] ?? 0) & VIRTUAL_8086) return 'virtual-8086';
    if (!this.EFER.LMA) return 'protected';
    return this.codeAttribute('L') ? '64-bit' : 'compatibility';
  }

  /** Bits of the code segment: the default operand and address sizes. */
  get codeWidth(): 16 | 32 | 64 {
    if (this.mode === '64-bit') return 64;
    return this.codeAttribute('DB') ? 32 : 16;
  }

  /** CS.L or CS.D. */
  codeAttribute(name: keyof typeof ATTRIBUTES): boolean {
    return ((this.words[CODE_ATTRIBUTES_WORD] ?? 0) & ATTRIBUTES[name]) !== 0;
  }

  get activity(): Activity {
    return ACTIVITY[this.words[ACTIVITY_WORD] ?? 0] ?? 'active';
  }

  set activity(activity: Activity) {
    this.set('activity', BigInt(ACTIVITY.indexOf(activity)));
  }

  /** Interrupts are held back for one instruction after STI and after a load of SS. */
  get interruptShadow(): keyof typeof SHADOW {
    const value = this.words[SHADOW_WORD] ?? 0;
    return value === SHADOW.sti ? 'sti' : value === SHADOW.movSs ? 'movSs' : 'none';
  }

  set interruptShadow(shadow: keyof typeof SHADOW) {
    this.set('interruptShadow', BigInt(SHADOW[shadow]));
    this.draft.runner.shadowRenewed = true;
  }

  /** Virtual time now, in cycles: what the time-stamp counter is made of. */
  timeStamp(): bigint {
    return this.readSlot(CYCLES_SLOT) + BigInt(this === this.draft.current ? this.draft.runner.uncountedSteps : 0);
  }

  /** Any register, MSRs included, by the name of its row: `CS.base`, `IA32_PAT`. Unsigned, of the width of its row. */
  read(register: string): bigint {
    const { slot, width } = this.definition.registers.register(register);
    const low = this.readSlot(slot);
    return width > 64 ? (this.readSlot(slot + 1) << 64n) | low : low;
  }

  /** Sets any register as it is, without the checks and effects that an instruction has. */
  set(register: string, value: bigint): void {
    const { slot, width } = this.definition.registers.register(register);
    this.writeSlot(slot, value);
    if (width > 64) this.writeSlot(slot + 1, value >> 64n);
  }

  readSlot(slot: number): bigint {
    if (slot === RFLAGS_SLOT) this.draft.settleFlags(this);
    return (BigInt((this.words[slot * 2 + 1] ?? 0) >>> 0) << 32n) | BigInt((this.words[slot * 2] ?? 0) >>> 0);
  }

  writeSlot(slot: number, value: bigint): void {
    if (slot === RFLAGS_SLOT) {
      this.draft.settleFlags(this);
      value |= BigInt(RFLAGS_FIXED);
    }
    this.#store(slot, value);
    this.written(slot);
  }

  /** The same in halves, as signed integers, for what is executed often. Not for RFLAGS. */
  writeWords(slot: number, low: number, high: number): void {
    this.words[slot * 2] = low;
    this.words[slot * 2 + 1] = high;
    this.written(slot);
  }

  #store(slot: number, value: bigint): void {
    this.words[slot * 2] = Number(BigInt.asIntN(32, value));
    this.words[slot * 2 + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  written(slot: number): void {
    const part = contextPartOf(slot);
    if (part !== CONTEXT_PART.none) this.#affected(part, slot);
    this.draft.writeTrace?.register(this.id, slot);
  }

  #affected(part: number, slot: number): void {
    if (part === CONTEXT_PART.level) this.draft.levelChanged(this);
    else if (part === CONTEXT_PART.system) this.draft.contextChanged(this);
    // CR8 is bits 7:4 of the task-priority register (SDM, "Interaction of Task Priorities between CR8 and APIC").
    if (slot * 2 === CR8_WORD) {
      this.words[TASK_PRIORITY_WORD] = (this.words[CR8_WORD] ?? 0) << 4;
      this.draft.runner.attend(); // a lower priority may let an interrupt through
    }
    if (slot * 2 === TASK_PRIORITY_WORD) this.words[CR8_WORD] = (this.words[TASK_PRIORITY_WORD] ?? 0) >>> 4;
  }

  /** A segment register with its hidden part. */
  segment(name: SegmentRegister): SegmentState {
    return {
      selector: this.read(`${name}.selector`),
      base: this.read(`${name}.base`),
      limit: this.read(`${name}.limit`),
      attributes: this.read(`${name}.attributes`),
    };
  }

  setSegment(name: SegmentRegister, { selector, base, limit, attributes }: SegmentState): void {
    const first = SEGMENT_SLOTS[name];
    this.#store(first, selector);
    this.#store(first + 1, base);
    this.#store(first + 2, limit);
    this.#store(first + 3, attributes);
    for (let slot = first; slot < first + 4; slot++) this.draft.writeTrace?.register(this.id, slot);
    if (contextPartOf(first + 3) !== CONTEXT_PART.none) this.draft.levelChanged(this); // once, not for each part
  }

  /** The same in words: `base` and `limit` have 32 bits. */
  setSegmentWords(name: SegmentRegister, selector: number, base: number, limit: number, attributes: number): void {
    const { words, draft } = this;
    const first = SEGMENT_SLOTS[name];
    const word = first * 2;
    words[word] = selector;
    words[word + 1] = 0;
    words[word + 2] = base;
    words[word + 3] = 0;
    words[word + 4] = limit;
    words[word + 5] = 0;
    words[word + 6] = attributes;
    words[word + 7] = 0;
    if (contextPartOf(first + 3) !== CONTEXT_PART.none) draft.levelChanged(this);
    if (draft.writeTrace === undefined) return;
    for (let slot = first; slot < first + 4; slot++) draft.writeTrace.register(this.id, slot);
  }

  /** Keeps all registers for `restore`, or those before the XMM registers: the general ones, the segments, the tables. */
  keep(all: boolean): void {
    const { words } = this;
    if (this.#firstOf !== words) {
      this.#firstOf = words;
      this.#first = words.subarray(0, FIRST_VECTOR_WORD);
    }
    this.#kept.set(all ? words : this.#first);
    this.#keptWords = all ? words.length : FIRST_VECTOR_WORD;
  }

  /** Puts back what was kept last. */
  restore(): void {
    this.words.set(this.#kept.subarray(0, this.#keptWords));
    this.draft.contextChanged(this);
  }

  readSlice(plugin: string): unknown {
    this.draft.accesses?.deliver();
    return this.draft.slices.readProcessor(this.id, plugin);
  }

  changeSlice(plugin: string, recipe: (slice: never) => void): void {
    this.draft.accesses?.deliver();
    this.draft.slices.changeProcessor(this.id, plugin, recipe);
  }

  /** Reports that software did something undefined or unsafe; `facts` are plain data (addresses, the other position). */
  hazard(hazard: string, facts: HazardReport['facts']): void {
    this.draft.hazards.push({ hazard, position: this.position, processor: this.id, facts });
  }
}

for (const name of [...GENERAL_REGISTERS, 'RIP', 'CR2', 'CR3', 'CR8'] as const) {
  const slot = slotOf(name);
  Object.defineProperty(Cpu.prototype, name, {
    get(this: Cpu) {
      return this.readSlot(slot);
    },
    set(this: Cpu, value: bigint) {
      this.writeSlot(slot, value);
    },
  });
}
