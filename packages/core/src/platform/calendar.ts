// The Gregorian calendar as a count of seconds, by arithmetic alone: the host's clock and time zone have no part in it.
import { UsageError } from '../error.js';

/** A moment as a clock shows it. */
export interface CalendarTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

export const SECONDS_PER_DAY = 86_400;
/** Years start in March here, so that the leap day is the last one: days before each month. */
const DAYS_BEFORE_MONTH = [0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337] as const;
const DAYS_IN_4_YEARS = 1461;
const DAYS_IN_100_YEARS = 36_524;
const DAYS_IN_400_YEARS = 146_097;

/** Seconds since 1 March of year 0. Fields out of range carry over. */
export function secondsOf({ year, month, day, hours, minutes, seconds }: CalendarTime): number {
  const months = year * 12 + month - 3;
  const march = Math.floor(months / 12);
  const leapDays = Math.floor(march / 4) - Math.floor(march / 100) + Math.floor(march / 400);
  const days = march * 365 + leapDays + (DAYS_BEFORE_MONTH[months - march * 12] ?? 0) + day - 1;
  return days * SECONDS_PER_DAY + hours * 3600 + minutes * 60 + seconds;
}

/** The moment so many seconds after 1 March of year 0. */
export function calendarTime(total: number): CalendarTime {
  const days = Math.floor(total / SECONDS_PER_DAY);
  const inDay = total - days * SECONDS_PER_DAY;
  const [era, inEra] = split(days, DAYS_IN_400_YEARS);
  const century = Math.min(3, Math.floor(inEra / DAYS_IN_100_YEARS)); // the last of four is a day longer
  const [fours, inFours] = split(inEra - century * DAYS_IN_100_YEARS, DAYS_IN_4_YEARS);
  const single = Math.min(3, Math.floor(inFours / 365));
  const dayOfYear = inFours - single * 365;
  const index = DAYS_BEFORE_MONTH.findLastIndex((before) => before <= dayOfYear);
  return {
    year: era * 400 + century * 100 + fours * 4 + single + (index < 10 ? 0 : 1),
    month: index < 10 ? index + 3 : index - 9,
    day: dayOfYear - (DAYS_BEFORE_MONTH[index] ?? 0) + 1,
    hours: Math.floor(inDay / 3600),
    minutes: Math.floor(inDay / 60) % 60,
    seconds: inDay % 60,
  };
}

/** 1 for Sunday to 7 for Saturday. */
export function dayOfWeek(total: number): number {
  return ((Math.floor(total / SECONDS_PER_DAY) + 3) % 7) + 1; // 1 March of year 0 was a Wednesday
}

function split(value: number, size: number): readonly [number, number] {
  const whole = Math.floor(value / size);
  return [whole, value - whole * size];
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/;

/**
 * Reads `2000-01-01T00:00:00`.
 * @throws UsageError CALENDAR_TIME for another form, or a moment that there is not
 */
export function parseCalendarTime(text: string): CalendarTime {
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = (TIME.exec(text) ?? [])
    .slice(1)
    .map(Number);
  const time = { year, month, day, hours, minutes, seconds };
  const same =
    TIME.test(text) &&
    Object.entries(calendarTime(secondsOf(time))).every(([name, value]) => value === time[name as keyof CalendarTime]);
  if (same) return time;
  throw new UsageError(
    'CALENDAR_TIME',
    { time: text },
    `${text} is no time: one such as 2000-01-01T00:00:00 is accepted`,
  );
}
