// What VMRUN and #VMEXIT move between registers and a state-save area, word by word (APM, "Basic Operation"). The host save area
// has the same layout here, of which the APM says nothing. VMLOAD and VMSAVE move the rest (instruction/vmload-vmsave.ts).
import { type Cpu, RFLAGS, type SegmentRegister, slotOf } from '@retrovisor/core';
import { vmcbPlace } from './vmcb-places.js';

/** Words of a field of the VMCB, from the start of the page. */
const wordOf = (field: string): number => vmcbPlace(field).offset / 4;

/** Segment registers: selector, base, limit and attributes follow each other, in core's register file. */
const SEGMENTS = (['ES', 'CS', 'SS', 'DS'] as const satisfies readonly SegmentRegister[]).map((name) => ({
  word: wordOf(name),
  slot: slotOf(`${name}.selector`),
}));
const TABLES = (['GDTR', 'IDTR'] as const).map((name) => ({
  word: wordOf(name),
  base: slotOf(`${name}.base`),
  limit: slotOf(`${name}.limit`),
}));

interface Quadword {
  readonly word: number;
  readonly slot: number;
}
const quadword = (field: string, register = field): Quadword => ({ word: wordOf(field), slot: slotOf(register) });

/** Of the host and of the guest. */
const BOTH = [
  quadword('EFER', 'IA32_EFER'),
  quadword('CR4'),
  quadword('CR3'),
  quadword('CR0'),
  quadword('RIP'),
  quadword('RSP'),
  quadword('RAX'),
];
/** The host's are not saved; #VMEXIT leaves the guest's behind, but for DR7. */
const GUEST_ONLY = [quadword('DR7'), quadword('DR6'), quadword('CR2')];

const FLAGS_WORD = wordOf('RFLAGS');
const CPL_WORD = (vmcbPlace('CPL').offset - 3) / 4; // its last byte
const STACK_ATTRIBUTES = slotOf('SS.attributes');
const DPL = 0x60;
/** VMCB attributes: descriptor bits 47:40 in 7:0, 55:52 in 11:8. Core keeps the gap of the limit nibble, and a mark for unusable. */
const PRESENT = 0x80;
const UNUSABLE = 1 << 16;
const FLAGS = (1 << RFLAGS.bits.VM) | 0x1f_ffff;
/** The limit of GDTR and IDTR. */
const TABLE_LIMIT = 0xffff;

/** The ranges of bytes that a save changes. */
export const SAVED_RANGES = [
  [0x400, 0x40],
  [0x460, 0x10],
  [0x480, 0x10],
  [0x4cb, 1],
  [0x4d0, 8],
  [0x548, 0x38],
  [0x5d8, 8],
  [0x5f8, 8],
  [0x640, 8],
] as const;

/** From the VMCB's attributes to core's. Bits 15:12 are reserved and not kept. */
export function coreAttributes(attributes: number): number {
  const spread = (attributes & 0xff) | ((attributes & 0xf00) << 4);
  return (attributes & PRESENT) !== 0 ? spread : spread | UNUSABLE;
}

/** From core's attributes to the VMCB's. */
export function vmcbAttributes(attributes: number): number {
  const packed = (attributes & 0xff) | ((attributes >> 4) & 0xf00);
  return (attributes & UNUSABLE) !== 0 ? packed & ~PRESENT : packed;
}

/** Stores what the host and the guest have in common. */
function saveCommon({ words, EFLAGS }: Cpu, area: Int32Array): void {
  for (const { word, slot } of SEGMENTS) {
    const first = slot * 2;
    area[word] = ((words[first] as number) & 0xffff) | (vmcbAttributes(words[first + 6] as number) << 16);
    area[word + 1] = words[first + 4] as number;
    area[word + 2] = words[first + 2] as number;
    area[word + 3] = words[first + 3] as number;
  }
  for (const { word, base, limit } of TABLES) {
    area[word + 1] = (words[limit * 2] as number) & TABLE_LIMIT;
    area[word + 2] = words[base * 2] as number;
    area[word + 3] = words[base * 2 + 1] as number;
  }
  for (const { word, slot } of BOTH) {
    area[word] = words[slot * 2] as number;
    area[word + 1] = words[slot * 2 + 1] as number;
  }
  area[FLAGS_WORD] = EFLAGS;
  area[FLAGS_WORD + 1] = 0;
  const cpl = ((words[STACK_ATTRIBUTES * 2] as number) & DPL) >> 5;
  area[CPL_WORD] = ((area[CPL_WORD] as number) & 0xff_ffff) | (cpl << 24);
}

/** The upper half of a linear address, sign-extended from the highest bit that a processor has. */
function canonicalHigh(cpu: Cpu, high: number): number {
  const unused = 64 - cpu.profile.linearAddressWidth;
  return (high << unused) >> unused;
}

function loadCommon(cpu: Cpu, area: Int32Array): void {
  for (const { word, slot } of SEGMENTS) {
    const selector = area[word] as number;
    cpu.writeWords(slot, selector & 0xffff, 0);
    cpu.writeWords(slot + 1, area[word + 2] as number, canonicalHigh(cpu, area[word + 3] as number));
    cpu.writeWords(slot + 2, area[word + 1] as number, 0);
    cpu.writeWords(slot + 3, coreAttributes(selector >>> 16), 0);
  }
  for (const { word, base, limit } of TABLES) {
    cpu.writeWords(limit, (area[word + 1] as number) & TABLE_LIMIT, 0);
    cpu.writeWords(base, area[word + 2] as number, canonicalHigh(cpu, area[word + 3] as number));
  }
  for (const { word, slot } of BOTH) cpu.writeWords(slot, area[word] as number, area[word + 1] as number);
  cpu.EFLAGS = ((area[FLAGS_WORD] as number) & FLAGS) | 2;
}

/** Stores the state of the host. */
export const saveHost = saveCommon;

/** Loads the state of the host. CPL is 0, whatever was saved. */
export function loadHost(cpu: Cpu, area: Int32Array): void {
  loadCommon(cpu, area);
  cpu.writeWords(STACK_ATTRIBUTES, (cpu.words[STACK_ATTRIBUTES * 2] as number) & ~DPL, 0);
  cpu.EFLAGS &= ~(1 << RFLAGS.bits.VM);
}

/** Stores the state of the guest. */
export function saveGuest(cpu: Cpu, area: Int32Array): void {
  saveCommon(cpu, area);
  for (const { word, slot } of GUEST_ONLY) {
    area[word] = cpu.words[slot * 2] as number;
    area[word + 1] = cpu.words[slot * 2 + 1] as number;
  }
}

/** Loads the state of the guest. Its privilege level is the VMCB's CPL, which core keeps as SS.DPL. */
export function loadGuest(cpu: Cpu, area: Int32Array): void {
  loadCommon(cpu, area);
  for (const { word, slot } of GUEST_ONLY) cpu.writeWords(slot, area[word] as number, area[word + 1] as number);
  const cpl = cpu.mode === 'real' ? 0 : cpu.mode === 'virtual-8086' ? 3 : ((area[CPL_WORD] as number) >>> 24) & 3;
  cpu.writeWords(STACK_ATTRIBUTES, ((cpu.words[STACK_ATTRIBUTES * 2] as number) & ~DPL) | (cpl << 5), 0);
}
