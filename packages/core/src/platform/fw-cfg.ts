// QEMU's firmware configuration device: a selector at port 510H and a byte stream at 511H, by which software that has no
// firmware asks for the size of the machine and for files; by DMA too (platform/fw-cfg-dma.ts). Left out: writing.
import type { BootImage, ImageSegment } from '../boot/boot-image.js';
import { UsageError } from '../error.js';
import { definePlugin, type Plugin } from '../plugin/define.js';
import type { MachineDefinition } from '../plugin/host.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';
import { DMA_PORTS, DMA_SIGNATURE, type Selection, swapped, transfer } from './fw-cfg-dma.js';

/** What is configured beside the machine's size. */
export interface FwCfgOptions {
  readonly commandLine?: string;
  /** Contents by name: `opt/org.example/answer`. They are numbered in the order of their names. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

const SELECTOR = 0x510;
const DATA = 0x511;
/** Asks for a write, which nothing here allows; the item is the same. */
const WRITE_CHANNEL = 0x4000;
const FIRST_FILE = 0x20;
const FILE_NAME_BYTES = 56;
const DIRECTORY_ENTRY_BYTES = 64;

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** An unsigned number of some bytes, the lowest first. */
function littleEndian(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => Math.floor(value / 2 ** (8 * index)) & 0xff);
}

const bigEndian = (value: number, bytes: number): Uint8Array => littleEndian(value, bytes).reverse();

type Item = (definition: MachineDefinition, options: FwCfgOptions) => Uint8Array;

/** Items by selector, as QEMU numbers them. */
const ITEMS: Readonly<Record<number, Item>> = {
  0: () => text('QEMU'),
  1: () => littleEndian(3, 4), // the interface of ports, and DMA
  2: () => new Uint8Array(16), // no UUID
  3: ({ memoryBytes }) => littleEndian(memoryBytes, 8),
  4: () => littleEndian(1, 2), // no graphics
  5: ({ processors }) => littleEndian(processors, 2),
  7: ({ boot }) => littleEndian(addressOf(segmentsOf(boot, 'kernel')), 4),
  8: ({ boot }) => littleEndian(lengthOf(segmentsOf(boot, 'kernel')), 4),
  10: ({ boot }) => littleEndian(addressOf(segmentsOf(boot, 'module').slice(0, 1)), 4),
  11: ({ boot }) => littleEndian(lengthOf(segmentsOf(boot, 'module').slice(0, 1)), 4),
  14: () => littleEndian(0, 2), // no boot menu
  15: ({ processors }) => littleEndian(processors, 2),
  16: ({ boot }) => littleEndian(boot?.entry ?? 0, 4),
  20: (_definition, { commandLine = '' }) => littleEndian(commandLine === '' ? 0 : text(commandLine).length + 1, 4),
  21: (_definition, { commandLine = '' }) => (commandLine === '' ? new Uint8Array(0) : text(`${commandLine}\0`)),
  25: (_definition, options) => directory(filesOf(options)),
};

const segmentsOf = (boot: BootImage | undefined, wanted: string): readonly ImageSegment[] =>
  (boot?.segments ?? []).filter(({ what }) => what === wanted);

/** Where some segments begin; 0 for none. */
const addressOf = (segments: readonly ImageSegment[]): number =>
  segments.length === 0 ? 0 : Math.min(...segments.map(({ address }) => address));

/** From the first byte of some segments to the end of the last. */
const lengthOf = (segments: readonly ImageSegment[]): number =>
  Math.max(0, ...segments.map(({ address, bytes, memoryBytes = bytes.length }) => address + memoryBytes)) -
  addressOf(segments);

/** By name, in the order of the selectors. */
const filesOf = ({ files = {} }: FwCfgOptions): readonly (readonly [name: string, contents: Uint8Array])[] =>
  Object.entries(files).toSorted(([one], [other]) => (one < other ? -1 : 1));

/** A count, then for each file its size, its selector and its name. */
function directory(named: ReturnType<typeof filesOf>): Uint8Array {
  const bytes = new Uint8Array(4 + named.length * DIRECTORY_ENTRY_BYTES);
  bytes.set(bigEndian(named.length, 4));
  for (const [index, [name, { length }]] of named.entries()) {
    const at = 4 + index * DIRECTORY_ENTRY_BYTES;
    bytes.set(bigEndian(length, 4), at);
    bytes.set(bigEndian(FIRST_FILE + index, 2), at + 4);
    bytes.set(text(name), at + 8);
  }
  return bytes;
}

interface FwCfg extends Selection {
  /** What was written to port 514H. */
  dmaHigh: number;
}

const selection = defineSlice<FwCfg>('fw-cfg', {
  version: 2,
  initial: () => ({ selector: 0, offset: 0, dmaHigh: 0 }),
  migrate: { 1: (older) => ({ ...(older as Selection), dmaHigh: 0 }) },
});

function itemOf(definition: MachineDefinition, options: FwCfgOptions, selector: number): Uint8Array | undefined {
  const [, file] = filesOf(options)[selector - FIRST_FILE] ?? [];
  return file ?? ITEMS[selector]?.(definition, options);
}

function checkNames({ files = {} }: FwCfgOptions): void {
  for (const name of Object.keys(files)) {
    const { length } = text(name);
    if (length > 0 && length < FILE_NAME_BYTES) continue;
    throw new UsageError(
      'FW_CFG_FILE_NAME',
      { name, bytes: length, most: FILE_NAME_BYTES - 1 },
      `the name ${JSON.stringify(name)} of a file of fw_cfg has ${length} bytes: 1 to ${FILE_NAME_BYTES - 1} are accepted`,
    );
  }
}

/**
 * The device with a command line and files of its own.
 * @throws UsageError FW_CFG_FILE_NAME for a name that the directory has no room for
 * @example fwCfg({ commandLine: 'console=ttyS0' });
 */
export function fwCfg(options: FwCfgOptions = {}): Plugin {
  checkNames(options);
  const next = ({ draft, definition }: Cpu, bytes: number): number => {
    const { selector, offset } = selection.of(draft);
    selection.change(draft, (slice) => {
      slice.offset += bytes;
    });
    const item = itemOf(definition, options, selector);
    const found = Array.from({ length: bytes }, (_, index) => item?.[offset + index] ?? 0); // zeros where nothing is
    return found.reduceRight((value, byte) => value * 256 + byte, 0);
  };
  const writeDmaAddress = (cpu: Cpu, port: number, value: number, bytes: number): void => {
    if (bytes !== 4 || (port !== DMA_PORTS.high && port !== DMA_PORTS.low)) return;
    const { dmaHigh, ...before } = selection.of(cpu.draft);
    const isLow = port === DMA_PORTS.low;
    const descriptor = (BigInt(dmaHigh) << 32n) | BigInt(swapped(value));
    const item = (selector: number) => itemOf(cpu.definition, options, selector & ~WRITE_CHANNEL);
    const after = isLow ? transfer(cpu.draft.memory, descriptor, before, item) : before;
    selection.change(cpu.draft, (slice) => {
      Object.assign(slice, after, { dmaHigh: isLow ? 0 : swapped(value) });
    });
  };
  return definePlugin({
    name: 'fw-cfg',
    version: '1.1.0',
    apiVersion: 1,
    configuration: options,
    machineSlice: selection,
    ports: [
      {
        first: SELECTOR,
        last: DATA,
        read: (cpu, port, bytes) => (port === DATA ? next(cpu, bytes) : 0),
        write: (cpu, port, value, bytes) => {
          if (port !== SELECTOR || bytes === 1) return;
          selection.change(cpu.draft, (slice) => {
            slice.selector = value & 0xffff & ~WRITE_CHANNEL;
            slice.offset = 0;
          });
        },
      },
      {
        first: DMA_PORTS.high,
        last: DMA_PORTS.last,
        read: (_cpu, port, bytes) => (bytes === 4 ? (DMA_SIGNATURE[port] ?? 0) : 0),
        write: writeDmaAddress,
      },
    ],
  });
}
