// QEMU's firmware configuration device: a selector at port 510H and a byte stream at 511H, by which software that has no
// firmware asks for the size of the machine and for files. Left out: writing, and the DMA interface, which the ID says is
// not there.
import { definePlugin, type Plugin } from '../plugin/define.js';
import type { MachineDefinition } from '../plugin/host.js';
import { defineSlice } from '../plugin/slice.js';
import type { Cpu } from '../state/cpu.js';

/** What is configured beside the machine's size. */
export interface FwCfgOptions {
  readonly commandLine?: string;
  /** Contents by name: `opt/org.example/answer`. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

const SELECTOR = 0x510;
const DATA = 0x511;
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
  1: () => littleEndian(1, 4), // the interface of ports, without DMA
  2: () => new Uint8Array(16), // no UUID
  3: ({ memoryBytes }) => littleEndian(memoryBytes, 8),
  4: () => littleEndian(1, 2), // no graphics
  5: ({ processors }) => littleEndian(processors, 2),
  14: () => littleEndian(0, 2), // no boot menu
  15: ({ processors }) => littleEndian(processors, 2),
  20: (_definition, { commandLine = '' }) => littleEndian(commandLine === '' ? 0 : text(commandLine).length + 1, 4),
  21: (_definition, { commandLine = '' }) => (commandLine === '' ? new Uint8Array(0) : text(`${commandLine}\0`)),
  25: (_definition, { files = {} }) => directory(files),
};

/** A count, then for each file its size, its selector and its name. */
function directory(files: NonNullable<FwCfgOptions['files']>): Uint8Array {
  const named = Object.entries(files);
  const bytes = new Uint8Array(4 + named.length * DIRECTORY_ENTRY_BYTES);
  bytes.set(bigEndian(named.length, 4));
  for (const [index, [name, { length }]] of named.entries()) {
    const at = 4 + index * DIRECTORY_ENTRY_BYTES;
    bytes.set(bigEndian(length, 4), at);
    bytes.set(bigEndian(FIRST_FILE + index, 2), at + 4);
    bytes.set(text(name).subarray(0, FILE_NAME_BYTES - 1), at + 8);
  }
  return bytes;
}

const selection = defineSlice<{ selector: number; offset: number }>('fw-cfg', {
  version: 1,
  initial: () => ({ selector: 0, offset: 0 }),
});

function itemOf(definition: MachineDefinition, options: FwCfgOptions, selector: number): Uint8Array | undefined {
  const file = Object.values(options.files ?? {})[selector - FIRST_FILE];
  return file ?? ITEMS[selector]?.(definition, options);
}

/**
 * The device with a command line and files of its own.
 * @example fwCfg({ commandLine: 'kernel console=ttyS0' });
 */
export function fwCfg(options: FwCfgOptions = {}): Plugin {
  const nextByte = ({ draft, definition }: Cpu): number => {
    const { selector, offset } = selection.of(draft);
    selection.change(draft, (slice) => {
      slice.offset++;
    });
    return itemOf(definition, options, selector)?.[offset] ?? 0; // past the end, and of an unknown item, zeros
  };
  return definePlugin({
    name: 'fw-cfg',
    version: '1.0.0',
    apiVersion: 1,
    configuration: options,
    machineSlice: selection,
    ports: [
      {
        first: SELECTOR,
        last: DATA,
        read: (cpu, port) => (port === DATA ? nextByte(cpu) : 0),
        write: (cpu, port, value, bytes) => {
          if (port !== SELECTOR || bytes === 1) return;
          selection.change(cpu.draft, (slice) => {
            slice.selector = value & 0x3fff; // bits 15:14 ask for writing and for items of an architecture
            slice.offset = 0;
          });
        },
      },
    ],
  });
}
