import { describe, expect, it } from 'vitest';
import { calendarTime, dayOfWeek, parseCalendarTime, SECONDS_PER_DAY, secondsOf } from '../../src/platform/calendar.js';

describe('the calendar', () => {
  it('agrees with the Gregorian calendar for 500 years, day by day', () => {
    const start = secondsOf(parseCalendarTime('1900-01-01T23:59:58'));
    const reference = new Date(Date.UTC(1900, 0, 1, 23, 59, 58));
    for (let day = 0; day < 182_621; day++) {
      const total = start + day * SECONDS_PER_DAY;
      const time = calendarTime(total);
      const [year, month, date] = [reference.getUTCFullYear(), reference.getUTCMonth() + 1, reference.getUTCDate()];
      if (
        time.year !== year ||
        time.month !== month ||
        time.day !== date ||
        dayOfWeek(total) !== reference.getUTCDay() + 1
      )
        expect(time).toEqual({ year, month, day: date });
      if (secondsOf(time) !== total) expect(secondsOf(time)).toBe(total);
      reference.setUTCDate(date + 1);
    }
    expect(calendarTime(start)).toEqual({ year: 1900, month: 1, day: 1, hours: 23, minutes: 59, seconds: 58 });
  });

  it.each(['', '2000-02-30T00:00:00', '2001-02-29T00:00:00', '2000-01-01', '2000-01-01T24:00:00'])(
    'refuses %s',
    (text) => expect(() => parseCalendarTime(text)).toThrow(/is accepted/),
  );

  it('accepts the leap day of 2000', () => {
    expect(parseCalendarTime('2000-02-29T12:34:56').day).toBe(29);
  });
});
