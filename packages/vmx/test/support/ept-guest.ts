// A hypervisor that is as small as one can be, with EPT: INT1 makes a guest of the program that executes it. Its memory is
// its own but for what EPT says; every refusal ends it.
import { createMachine, definePlugin, type Machine, PLUGIN_API_VERSION, rawImage, takeOver } from '@retrovisor/core';
import type { EptControls, EptExit, EptGuest, VirtualizationExceptions } from '../../src/index.js';
import { eptContext, translateThroughEpt } from '../../src/index.js';

const CODE = 0x10_0000;
/** The EPT paging structures: PML4, PDPT, page directory and page table for the first 2 MBytes. */
export const EPT_TABLES = 0x40_0000;
export const LOG = 0x48_0000;
export const INFORMATION = 0x49_0000;
/** Where the guest's data lies, in its own eyes and really. */
export const DATA = 0x7_0000;
const ALL_RIGHTS = 0x407n;
const WRITE_BACK = 0x30n;

export interface EptGuestOptions extends Partial<EptControls> {
  readonly accessedAndDirty?: boolean;
  readonly virtualizationExceptions?: boolean;
  /** The PML index at the start; absent: no log. */
  readonly logIndex?: number;
}

const eptpOf = ({ accessedAndDirty = false }: EptGuestOptions) =>
  BigInt(EPT_TABLES) | 0x1en | (accessedAndDirty ? 0x40n : 0n);

function hypervisor(options: EptGuestOptions) {
  const log = { index: options.logIndex ?? 0 };
  const exceptions: VirtualizationExceptions = { information: INFORMATION, eptpIndex: 5 };
  return definePlugin({
    name: 'ept-guest',
    version: '1.0.0',
    apiVersion: PLUGIN_API_VERSION,
    guestMode: {
      guestOf: (cpu) => {
        const { profile } = cpu;
        const controls = { modeBasedExecuteControl: false, subPageWritePermissions: false, ...options };
        const guest: EptGuest = {
          context: eptContext(profile, eptpOf(options), controls),
          log:
            options.logIndex === undefined
              ? undefined
              : {
                  index: () => log.index,
                  append: (page) => {
                    cpu.memory.write(LOG + 8 * log.index, 8, BigInt(page));
                    log.index = (log.index - 1) & 0xffff;
                  },
                },
          virtualizationExceptions: options.virtualizationExceptions ? exceptions : undefined,
          leave: (exit) => takeOver((boundary) => leave(boundary, exit)),
        };
        return {
          secondLevel: { translate: (_cpu, address, access) => translateThroughEpt(cpu, guest, address, access) },
        };
      },
    },
    intercepts: {
      exception: (cpu, raised) => {
        if (raised.vector !== '#DB') return undefined;
        cpu.draft.loadRegisters(cpu, () => cpu.set('guestMode', 1n));
        return { kind: 'ept/entry' };
      },
    },
  });
}

type Leave = (
  cpu: Parameters<Parameters<typeof takeOver>[0]>[0],
  exit: EptExit,
) => ReturnType<Parameters<typeof takeOver>[0]>;

const leave: Leave = (cpu, exit) => {
  cpu.draft.loadRegisters(cpu, () => cpu.set('guestMode', 0n));
  return { ...exit, kind: 'ept/exit' };
};

/** A machine whose next step executes the first instruction of the guest. Boot maps memory to itself with large pages. */
export function guestMachine(code: readonly number[], options: EptGuestOptions = {}): Machine {
  const machine = createMachine({
    profile: 'intel-server',
    memory: 16 * 2 ** 20,
    plugins: [hypervisor(options)],
    boot: rawImage({ bytes: Uint8Array.of(0xf1, ...code), mode: 'long', load: CODE }),
  });
  mapEverything(machine);
  machine.processor(0).step();
  return machine;
}

/** 4-KByte pages for the first 2 MBytes, a page of 2 MBytes for all of the others, and the first GByte alone. */
function mapEverything(machine: Machine): void {
  const table = (number: number) => BigInt(EPT_TABLES + number * 0x1000);
  writeEntry(machine, EPT_TABLES, table(1) | ALL_RIGHTS);
  writeEntry(machine, EPT_TABLES + 0x1000, table(2) | ALL_RIGHTS);
  writeEntry(machine, EPT_TABLES + 0x2000, table(3) | ALL_RIGHTS);
  for (let index = 1; index < 8; index++)
    writeEntry(machine, EPT_TABLES + 0x2000 + index * 8, (BigInt(index) << 21n) | 0x80n | WRITE_BACK | ALL_RIGHTS);
  for (let index = 0; index < 512; index++)
    writeEntry(machine, leafAddress(index << 12), leafEntry(index << 12, ALL_RIGHTS));
}

/** Where the entry lies that maps an address below 2 MBytes, and what it is. */
export const leafAddress = (address: number): number => EPT_TABLES + 0x3000 + (address >> 12) * 8;
export const leafEntry = (address: number, rights: bigint): bigint =>
  BigInt(address - (address % 0x1000)) | WRITE_BACK | rights;

export function writeEntry(machine: Machine, address: number, value: bigint): void {
  machine.writeMemory(BigInt(address), new Uint8Array(BigUint64Array.of(value).buffer));
}

export const readEntry = (machine: Machine, address: number): bigint =>
  machine.state.memory.readValue(BigInt(address), 8);
