// The registers of an MC146818 as its data sheet names them, and the forms in which they hold the time: BCD or binary, 12 or
// 24 hours.
import { type CalendarTime, calendarTime, dayOfWeek, SECONDS_PER_DAY, secondsOf } from './calendar.js';

/** Addresses. Those of the time come first; the century is where ACPI's FADT says that it is. */
export const RTC = {
  seconds: 0x00,
  secondsAlarm: 0x01,
  minutes: 0x02,
  minutesAlarm: 0x03,
  hours: 0x04,
  hoursAlarm: 0x05,
  dayOfWeek: 0x06,
  dayOfMonth: 0x07,
  month: 0x08,
  year: 0x09,
  A: 0x0a,
  B: 0x0b,
  C: 0x0c,
  D: 0x0d,
  century: 0x32,
} as const;

/** Register A: update in progress, divider select, rate select. */
export const A = { UIP: 0x80, DV: 0x70, RS: 0x0f, dividerReset: 0x60 } as const;
/** Register B. */
export const B = { SET: 0x80, PIE: 0x40, AIE: 0x20, UIE: 0x10, DM: 0x04, HOURS_24: 0x02 } as const;
/** Register C: a flag has the place of its enable bit in register B. */
export const C = { IRQF: 0x80, PF: 0x40, AF: 0x20, UF: 0x10, flags: 0x70 } as const;
/** Register D: valid RAM and time. */
export const VALID_RAM_AND_TIME = 0x80;

const PM = 0x80;
/** An alarm byte with both high bits set matches every value. */
const DO_NOT_CARE = 0xc0;

export const isTimeAddress = (address: number): boolean =>
  TIME_ADDRESSES.includes(address as (typeof TIME_ADDRESSES)[number]);

const TIME_ADDRESSES = [
  RTC.seconds,
  RTC.minutes,
  RTC.hours,
  RTC.dayOfWeek,
  RTC.dayOfMonth,
  RTC.month,
  RTC.year,
  RTC.century,
] as const;

const toBcd = (value: number): number => Math.floor(value / 10) * 16 + (value % 10);
const fromBcd = (byte: number): number => (byte >> 4) * 10 + (byte & 0x0f);

const encoded = (value: number, modeB: number): number => ((modeB & B.DM) === 0 ? toBcd(value) : value);
const decoded = (byte: number, modeB: number): number => ((modeB & B.DM) === 0 ? fromBcd(byte) : byte);

function encodedHours(hours: number, modeB: number): number {
  if ((modeB & B.HOURS_24) !== 0) return encoded(hours, modeB);
  return encoded(hours % 12 === 0 ? 12 : hours % 12, modeB) | (hours < 12 ? 0 : PM);
}

function decodedHours(byte: number, modeB: number): number {
  if ((modeB & B.HOURS_24) !== 0) return decoded(byte, modeB);
  return (decoded(byte & ~PM, modeB) % 12) + ((byte & PM) === 0 ? 0 : 12);
}

/** The bytes of a moment, by address, in the form that register B chooses. */
export function timeBytes(total: number, modeB: number): readonly (readonly [address: number, byte: number])[] {
  const time = calendarTime(total);
  return [
    [RTC.seconds, encoded(time.seconds, modeB)],
    [RTC.minutes, encoded(time.minutes, modeB)],
    [RTC.hours, encodedHours(time.hours, modeB)],
    [RTC.dayOfWeek, dayOfWeek(total)],
    [RTC.dayOfMonth, encoded(time.day, modeB)],
    [RTC.month, encoded(time.month, modeB)],
    [RTC.year, encoded(time.year % 100, modeB)],
    [RTC.century, encoded(Math.floor(time.year / 100) % 100, modeB)],
  ];
}

/** The moment that the bytes say; fields out of range carry over. The day of the week follows from the date. */
export function timeOfBytes(bytes: readonly number[], modeB: number): number {
  const at = (address: number) => decoded(bytes[address] ?? 0, modeB);
  const time: CalendarTime = {
    year: at(RTC.century) * 100 + at(RTC.year),
    month: at(RTC.month),
    day: at(RTC.dayOfMonth),
    hours: decodedHours(bytes[RTC.hours] ?? 0, modeB),
    minutes: at(RTC.minutes),
    seconds: at(RTC.seconds),
  };
  return secondsOf(time);
}

/** The first second after one that the alarm bytes match, within a day. */
export function nextAlarm(bytes: readonly number[], modeB: number, after: number): number | undefined {
  const [atHour = 0, atMinute = 0, atSecond = 0] = [RTC.hoursAlarm, RTC.minutesAlarm, RTC.secondsAlarm].map(
    (address) => bytes[address],
  );
  const matches = (byte: number, value: number) => byte >= DO_NOT_CARE || byte === value;
  for (let second = after + 1; second <= after + SECONDS_PER_DAY; ) {
    const inDay = second % SECONDS_PER_DAY;
    if (!matches(atHour, encodedHours(Math.floor(inDay / 3600), modeB))) second += 3600 - (inDay % 3600);
    else if (!matches(atMinute, encoded(Math.floor(inDay / 60) % 60, modeB))) second += 60 - (inDay % 60);
    else if (!matches(atSecond, encoded(inDay % 60, modeB))) second++;
    else return second;
  }
  return undefined;
}

/** Period of the periodic interrupt in cycles of the 32,768 Hz oscillator; undefined: none. */
export function periodOf(registerA: number): number | undefined {
  const rate = registerA & A.RS;
  if (rate === 0) return undefined;
  return 2 ** (rate <= 2 ? rate + 6 : rate - 1); // the two highest rates are two lower ones again
}
