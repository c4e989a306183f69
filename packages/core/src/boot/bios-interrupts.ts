// What the BIOS of a PC leaves of interrupts: vectors, their handlers in the ROM, and how the 8259s and the 8254 are
// programmed. Vectors, masks and the addresses of the entry points are those that QEMU's BIOS leaves. Left out: the services
// of the BIOS. INT 11H and INT 12H answer from the data area; INT 13H and INT 15H refuse, with carry set and AH 86H; the
// others return and change nothing. A key is taken from the keyboard and forgotten.
import type { MachineDraft } from '../state/draft.js';
import { FIRMWARE_LAYOUT } from './memory-map.js';

const ROM_SEGMENT = FIRMWARE_LAYOUT.rom.start >> 4;
/** From here to 66H vectors are for programs, and zero. */
const FREE_VECTORS = { first: 0x60, last: 0x66 } as const;
const LAST_VECTOR = 0x77;

interface Handler {
  /** In the segment of the ROM. */
  readonly offset: number;
  readonly vectors: readonly number[];
  readonly code: string;
}

/** MOV AL, 20H; OUT 20H, AL; POP AX; IRET: what follows a PUSH AX. */
const END_OF_INTERRUPT = 'b0 20 e6 20 58 cf';
/** The same to both 8259s. */
const END_OF_BOTH = 'b0 20 e6 a0 e6 20 58 cf';

const HANDLERS: readonly Handler[] = [
  {
    // Line 0: the ticks since midnight at 40:6C, a mark at 40:70 when a day is over, then INT 1CH.
    offset: 0xfea5,
    vectors: [0x08],
    code: [
      '50 1e b8 40 00 8e d8', // PUSH AX; PUSH DS; MOV AX, 40H; MOV DS, AX
      '66 ff 06 6c 00 66 81 3e 6c 00 b0 00 18 00 72 0a', // INC dword [6CH]; CMP dword [6CH], 1800B0H; JB over the next two
      '66 83 26 6c 00 00 fe 06 70 00', // AND dword [6CH], 0; INC byte [70H]
      'cd 1c b0 20 e6 20 1f 58 cf', // INT 1CH; MOV AL, 20H; OUT 20H, AL; POP DS; POP AX; IRET
    ].join(' '),
  },
  { offset: 0xe987, vectors: [0x09], code: `50 e4 60 ${END_OF_INTERRUPT}` }, // IN AL, 60H
  { offset: 0xef57, vectors: [0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f], code: `50 ${END_OF_INTERRUPT}` },
  { offset: 0xd413, vectors: [0x70], code: `50 b0 0c e6 70 e4 71 ${END_OF_BOTH}` }, // reads register C of the clock
  { offset: 0xd437, vectors: [0x71, 0x72, 0x73, 0x75, 0x76, 0x77], code: `50 ${END_OF_BOTH}` },
  { offset: 0xd460, vectors: [0x74], code: `50 e4 60 ${END_OF_BOTH}` },
  // PUSH DS; MOV AX, 40H; MOV DS, AX; MOV AX, [10H] or [13H]; POP DS; IRET
  { offset: 0xf84d, vectors: [0x11], code: '1e b8 40 00 8e d8 a1 10 00 1f cf' },
  { offset: 0xf841, vectors: [0x12], code: '1e b8 40 00 8e d8 a1 13 00 1f cf' },
  // PUSH BP; MOV BP, SP; OR byte [BP+6], 1; POP BP; MOV AH, 86H; IRET
  { offset: 0xf859, vectors: [0x13, 0x15], code: '55 89 e5 80 4e 06 01 5d b4 86 cf' },
];
/** Where a processor begins after INIT, and what follows: see boot/firmware-restart.ts. */
const RESTART: readonly Handler[] = [
  { offset: 0xfff0, vectors: [], code: 'ea 5b e0 00 f0' }, // JMP F000:E05B
  {
    offset: 0xe05b,
    vectors: [],
    code: [
      'fa b0 8f e6 70 e4 71 88 c4', // CLI; the shutdown status from the clock's memory to AH
      'b0 0f e6 70 b0 00 e6 71', // 0 in its place
      '80 fc 0a 74 0b 80 fc 05 75 0a', // CMP AH, 0AH; JE to the far jump; CMP AH, 5; JNE over it
      'b0 20 e6 a0 e6 20 ff 2e 67 04', // end of interrupt to both 8259s; JMP far [467H]
      'b0 fe e6 64 f4 eb fd', // a reset by the keyboard controller; HLT for ever
    ].join(' '),
  },
];
/** All the others. */
const RETURN: Handler = { offset: 0xff53, vectors: [], code: 'cf' };

/** What the BIOS writes to ports, in this order. */
const PORT_WRITES: readonly (readonly [port: number, byte: number])[] = [
  [0x20, 0x11], // ICW1 to ICW4: lines 0 to 7 are vectors 08H to 0FH
  [0x21, 0x08],
  [0x21, 0x04],
  [0x21, 0x01],
  [0xa0, 0x11], // lines 8 to 15 are vectors 70H to 77H
  [0xa1, 0x70],
  [0xa1, 0x02],
  [0xa1, 0x01],
  [0x21, 0xb8], // open: timer, keyboard, the second 8259, diskette
  [0xa1, 0x8e], // open: clock, mouse, x87 FPU, disk
  [0x4d1, 0x0c], // lines 10 and 11 are PCI's: by level
  [0x43, 0x34], // 65536 ticks a period: 18.2 a second
  [0x40, 0x00],
  [0x40, 0x00],
];

const bytesOf = (code: string): Uint8Array => Uint8Array.from(code.split(' '), (byte) => Number.parseInt(byte, 16));

/** Writes vectors and handlers, and programs those of the devices that the machine has. */
export function writeBiosInterrupts(draft: MachineDraft): void {
  for (const { offset, code } of [...HANDLERS, ...RESTART, RETURN])
    draft.memory.writeBytes(FIRMWARE_LAYOUT.rom.start + offset, bytesOf(code));
  for (let vector = 0; vector <= LAST_VECTOR; vector++) {
    if (vector >= FREE_VECTORS.first && vector <= FREE_VECTORS.last) continue;
    const { offset } = HANDLERS.find(({ vectors }) => vectors.includes(vector)) ?? RETURN;
    draft.memory.write(vector * 4, 4, BigInt(ROM_SEGMENT * 0x1_0000 + offset));
  }
  const [cpu, { ports }] = [draft.cpu(0), draft.definition];
  for (const [port, byte] of PORT_WRITES)
    ports.find(({ first, last }) => port >= first && port <= last)?.write?.(cpu, port, byte, 1);
}
