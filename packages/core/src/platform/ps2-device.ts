// What a PS/2 keyboard and a PS/2 mouse answer to the commands that are sent to them. Left out: typematic repeat, which only
// a finger on a key makes, the lamps, and the movements of the mouse: it is one that nobody moves.

const ACK = 0xfa;
const RESEND = 0xfe;
/** Basic assurance test passed. */
const TEST_PASSED = 0xaa;
const ECHO = 0xee;

/** A device behind the controller. */
export interface Ps2Device {
  /** It sends what happens: scan codes, movements. */
  isReporting: boolean;
  /** Of a keyboard: 1 to 3. */
  scanCodeSet: number;
  /** The command whose parameter is the next byte. */
  awaitsParameterOf: number | null;
  /** Bytes that the controller has not taken yet, the first one next. */
  readonly queue: number[];
}

/** After power-on: a keyboard reports, a mouse waits to be told so. */
export const KEYBOARD_AT_RESET: Readonly<Ps2Device> = {
  isReporting: true,
  scanCodeSet: 2,
  awaitsParameterOf: null,
  queue: [],
};
export const MOUSE_AT_RESET: Readonly<Ps2Device> = { ...KEYBOARD_AT_RESET, isReporting: false };

/** A command of one byte. */
interface Command {
  readonly reply: readonly number[];
  /** What changes in the device. */
  readonly sets?: Partial<Ps2Device>;
  /** Called with the byte that follows; returns more of a reply. */
  readonly parameter?: (device: Ps2Device, byte: number) => readonly number[];
}

type Commands = ReadonlyMap<number, Command>;

const ACKNOWLEDGED: Command = { reply: [ACK] };
const WITH_PARAMETER: Command = { reply: [ACK], parameter: () => [] };

/** Scan code set 0 asks for the present one. */
function selectScanCodeSet(device: Ps2Device, set: number): readonly number[] {
  if (set === 0) return [device.scanCodeSet];
  if (set <= 3) device.scanCodeSet = set;
  return [];
}

export const KEYBOARD_COMMANDS: Commands = new Map<number, Command>([
  [0xed, WITH_PARAMETER], // lamps
  [0xee, { reply: [ECHO] }],
  [0xf0, { reply: [ACK], parameter: selectScanCodeSet }],
  [0xf2, { reply: [ACK, 0xab, 0x83] }], // identify: MF2 keyboard
  [0xf3, WITH_PARAMETER], // typematic rate and delay
  [0xf4, { reply: [ACK], sets: { isReporting: true } }],
  [0xf5, { reply: [ACK], sets: { isReporting: false, scanCodeSet: 2 } }],
  [0xf6, { reply: [ACK], sets: { isReporting: true, scanCodeSet: 2 } }],
  [0xff, { reply: [ACK, TEST_PASSED], sets: { isReporting: true, scanCodeSet: 2 } }],
]);

const STATUS = [0x00, 0x02, 0x64] as const; // stream mode, 4 counts a millimetre, 100 samples a second
const NO_MOVEMENT = [0x08, 0x00, 0x00] as const;

export const MOUSE_COMMANDS: Commands = new Map<number, Command>([
  [0xe6, ACKNOWLEDGED], // scaling 1:1
  [0xe7, ACKNOWLEDGED], // scaling 2:1
  [0xe8, WITH_PARAMETER], // resolution
  [0xe9, { reply: [ACK, ...STATUS] }],
  [0xea, ACKNOWLEDGED], // stream mode
  [0xeb, { reply: [ACK, ...NO_MOVEMENT] }],
  [0xf0, ACKNOWLEDGED], // remote mode
  [0xf2, { reply: [ACK, 0x00] }], // identify: mouse
  [0xf3, WITH_PARAMETER], // sample rate
  [0xf4, { reply: [ACK], sets: { isReporting: true } }],
  [0xf5, { reply: [ACK], sets: { isReporting: false } }],
  [0xf6, { reply: [ACK], sets: { isReporting: false } }],
  [0xff, { reply: [ACK, TEST_PASSED, 0x00], sets: { isReporting: false } }],
]);

/** A byte is sent to a device: it drops what it had to say, and answers. */
export function sendToDevice(device: Ps2Device, commands: Commands, byte: number): void {
  device.queue.length = 0;
  const awaited = device.awaitsParameterOf;
  device.awaitsParameterOf = null;
  if (awaited !== null) {
    device.queue.push(ACK, ...(commands.get(awaited)?.parameter?.(device, byte) ?? []));
    return;
  }
  const command = commands.get(byte);
  if (command === undefined) {
    device.queue.push(RESEND);
    return;
  }
  Object.assign(device, command.sets);
  if (command.parameter !== undefined) device.awaitsParameterOf = byte;
  device.queue.push(...command.reply);
}
