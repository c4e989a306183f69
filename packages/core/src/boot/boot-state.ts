// From a boot image to registers and memory: what firmware and a boot loader leave behind, in each mode. In long mode the
// first 4 GiB (and the RAM above, up to 512 GiB) are mapped to themselves with 2-MByte pages.
import { ImageError } from '../error.js';
import type { MachineDefinition } from '../plugin/host.js';
import type { Cpu } from '../state/cpu.js';
import type { MachineDraft } from '../state/draft.js';
import type { SegmentState } from '../state/processor.js';
import { BOOT_LAYOUT, type BootImage, type BootMode } from './boot-image.js';
import { writePcFirmware } from './pc-firmware.js';
import { checkPlacement, needsOwnGdt } from './placement.js';

const GIB = 2 ** 30;
const LARGE_PAGE = 2 ** 21;
/** Present, writable, user-accessible: a boot loader's tables forbid nothing. */
const TABLE_ENTRY = 0x7n;
const LARGE_PAGE_ENTRY = 0x87n;
/** Null, 64-bit code, data, 32-bit code: selectors 0x08, 0x10, 0x18. */
const GDT = [0n, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn, 0x00cf_9b00_0000_ffffn] as const;

const FLAT = { base: 0n, limit: 0xffff_ffffn } as const;
const DATA: SegmentState = { ...FLAT, selector: 0x10n, attributes: 0xc093n };
const CODE: Readonly<Record<BootMode, SegmentState>> = {
  real: { base: 0n, limit: 0xffffn, selector: 0n, attributes: 0x9bn },
  protected: { ...FLAT, selector: 0x18n, attributes: 0xc09bn },
  long: { ...FLAT, selector: 0x08n, attributes: 0xa09bn },
};
const REAL_DATA: SegmentState = { base: 0n, limit: 0xffffn, selector: 0n, attributes: 0x93n };

/** Loads an image into a draft that stands at RESET. The first processor becomes active, the others wait for SIPI. */
export function bootInto(draft: MachineDraft, image: BootImage): void {
  checkPlacement(draft.definition, image);
  if (needsOwnGdt(image)) writeQuads(draft, BOOT_LAYOUT.gdt, GDT);
  if (image.mode === 'long') writePageTables(draft);
  if (image.firmware === 'pc') writePcFirmware(draft);
  for (const { address, bytes } of image.segments) draft.memory.writeBytes(address, bytes); // also over its vectors
  const bootstrap = draft.cpu(0);
  for (let id = 0; id < (image.everyProcessor === true ? draft.processorCount : 1); id++) enter(draft.cpu(id), image);
  connectLocalApic(bootstrap);
  if (image.firmware === 'pc') initializeFpus(draft);
  for (const [name, value] of Object.entries(image.registers ?? {})) setRegister(bootstrap, name, value);
}

function setRegister(cpu: Cpu, name: string, value: bigint): void {
  const row = cpu.definition.registers.rows.find((each) => each.name === name);
  if (row === undefined || BigInt.asUintN(row.width, value) !== value) {
    throw new ImageError(
      'IMAGE_REGISTER',
      { register: name, value },
      `the image sets ${name} to ${value}: ${row === undefined ? 'no register has this name' : `it has ${row.width} bits`}`,
    );
  }
  cpu.set(name, value);
}

function writeQuads(draft: MachineDraft, address: number, quads: readonly bigint[]): void {
  for (const [index, quad] of quads.entries()) draft.memory.write(address + index * 8, 8, quad);
}

/** PML4, one PDPT, and a page directory for each GiB that is mapped; directories for high RAM go to the last of it. */
function writePageTables(draft: MachineDraft): void {
  const pml4 = BOOT_LAYOUT.pageTables;
  const pdpt = pml4 + 0x1000;
  draft.memory.write(pml4, 8, BigInt(pdpt) | TABLE_ENTRY);
  for (let gib = 0; gib < mappedGib(draft.definition); gib++) {
    // The first four directories follow the PDPT; those of RAM above 4 GiB map with 1-GByte pages, which need none.
    if (gib >= 4) {
      draft.memory.write(pdpt + gib * 8, 8, BigInt(gib * GIB) | LARGE_PAGE_ENTRY);
      continue;
    }
    const directory = pdpt + 0x1000 * (gib + 1);
    draft.memory.write(pdpt + gib * 8, 8, BigInt(directory) | TABLE_ENTRY);
    for (let page = 0; page < 512; page++)
      draft.memory.write(directory + page * 8, 8, BigInt(gib * GIB + page * LARGE_PAGE) | LARGE_PAGE_ENTRY);
  }
}

function mappedGib({ ranges }: MachineDefinition): number {
  return Math.min(512, Math.max(4, Math.ceil(Math.max(...ranges.map(({ end }) => end)) / GIB)));
}

/** Firmware has executed FNINIT on every processor: after RESET alone, all x87 exceptions would be unmasked. */
function initializeFpus(draft: MachineDraft): void {
  for (let id = 0; id < draft.processorCount; id++) {
    draft.cpu(id).set('FCW', 0x37fn);
    draft.cpu(id).set('FTW', 0n);
  }
}

/** What firmware leaves: the local APIC enabled, LINT0 as ExtINT for the 8259 and LINT1 as NMI. */
function connectLocalApic(bootstrap: Cpu): void {
  bootstrap.set('APIC_SVR', 0x1ffn);
  bootstrap.set('APIC_LVT_LINT0', 0x700n);
  bootstrap.set('APIC_LVT_LINT1', 0x400n);
}

function enter(cpu: Cpu, { mode, entry }: BootImage): void {
  for (const name of ['ES', 'SS', 'DS', 'FS', 'GS'] as const) cpu.setSegment(name, mode === 'real' ? REAL_DATA : DATA);
  cpu.setSegment('CS', CODE[mode]);
  cpu.RSP = BigInt(BOOT_LAYOUT.stackTop);
  cpu.RIP = BigInt(entry);
  cpu.set('IDTR.limit', mode === 'real' ? 0x3ffn : 0n);
  if (mode === 'real') return;
  cpu.set('GDTR.base', BigInt(BOOT_LAYOUT.gdt));
  cpu.set('GDTR.limit', BigInt(GDT.length * 8 - 1));
  cpu.CR0.PE = true;
  cpu.CR0.NE = true;
  cpu.CR0.CD = false;
  cpu.CR0.NW = false;
  if (mode === 'long') enterLongMode(cpu);
}

function enterLongMode(cpu: Cpu): void {
  cpu.CR3 = BigInt(BOOT_LAYOUT.pageTables);
  cpu.CR4.PAE = true;
  cpu.EFER.LME = true;
  cpu.EFER.LMA = true;
  cpu.EFER.SCE = true;
  cpu.EFER.NXE = true;
  cpu.CR0.WP = true;
  cpu.CR0.PG = true;
}
