// Where everything lies in the machines that random programs run on: below 4 MiB what is mapped to itself for good, above
// it pages of 4 KiB that programs remap.

export const PAGE_TABLE = 0x9000;
export const IDT = 0xa000;
export const HANDLER = 0xb000;
/** Where the handler goes on: sixteen addresses of eight bytes. */
export const RESUME_TABLE = 0xb100;
export const FAULT_COUNT = 0xb200;
export const STACK = 0x8_f000;

const REMAPPED = 0x40_0000;
const PAGE = 0x1000;
/** Two pages of data; one that is not there; one that cannot be written; the first one again; the first page of the code. */
const DATA = REMAPPED;
const READ_ONLY = DATA + 3 * PAGE;
const DATA_AGAIN = DATA + 4 * PAGE;
export const VIEW_OF_CODE = DATA + 5 * PAGE;
/** Two pages of code, and the frames of another version of them. */
export const CODE = REMAPPED + 8 * PAGE;
export const OTHER_CODE = CODE + 2 * PAGE;
export const MEMORY_BYTES = 8 * 2 ** 20;
/** All that a program may change but the stack lies here, and in the page table. */
export const WRITTEN = { start: REMAPPED, bytes: 12 * PAGE } as const;

/** Places that are worth an access: the middle and the ends of pages. */
export const PLACES = [
  DATA,
  DATA + 0x100,
  DATA + PAGE,
  DATA + PAGE,
  DATA + 2 * PAGE,
  READ_ONLY,
  READ_ONLY + 0x80,
  DATA_AGAIN + 0x40,
  VIEW_OF_CODE + 0xf00,
  STACK,
] as const;

const [PRESENT_WRITABLE, PRESENT] = [7, 5];

/** What the pages are mapped to at first: by number, frame and rights. */
export const MAPPINGS: readonly number[] = [
  DATA | PRESENT_WRITABLE,
  (DATA + PAGE) | PRESENT_WRITABLE,
  0,
  READ_ONLY | PRESENT,
  DATA | PRESENT_WRITABLE,
  CODE | PRESENT_WRITABLE,
  0,
  0,
  CODE | PRESENT_WRITABLE,
  (CODE + PAGE) | PRESENT_WRITABLE,
];

/** Bytes of a page-table entry. */
export const entryBytes = (mode64: boolean): number => (mode64 ? 8 : 4);

/** Entries that programs write, and what they write there: the low half of an entry. */
export const TABLE_EDITS = [
  { page: 0, entries: [DATA | PRESENT_WRITABLE, (DATA + PAGE) | PRESENT_WRITABLE, DATA | PRESENT, 0] },
  { page: 1, entries: [(DATA + PAGE) | PRESENT_WRITABLE, DATA | PRESENT_WRITABLE, 0] },
  { page: 8, entries: [CODE | PRESENT_WRITABLE, OTHER_CODE | PRESENT_WRITABLE, CODE | PRESENT] },
  { page: 9, entries: [(CODE + PAGE) | PRESENT_WRITABLE, (OTHER_CODE + PAGE) | PRESENT_WRITABLE] },
].map(({ page, entries }) => ({ address: (mode64: boolean) => PAGE_TABLE + page * entryBytes(mode64), entries }));
