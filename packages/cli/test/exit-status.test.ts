import {
  DivergenceError,
  ImageError,
  InternalError,
  NotModelled,
  PluginError,
  TraceFormatError,
  UsageError,
} from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { EXIT, isKnownError, statusOf } from '../src/exit-status.js';
import { InputError, ScriptError } from '../src/input-error.js';

const made = <Type>(Class: new (code: string, details: Record<string, unknown>, message: string) => Type) =>
  new Class('CODE', {}, 'a sentence');

describe('the exit status', () => {
  it.each([
    [made(UsageError), EXIT.usage],
    [made(PluginError), EXIT.usage],
    [made(TraceFormatError), EXIT.unreadable],
    [made(ImageError), EXIT.unreadable],
    [made(InputError), EXIT.unreadable],
    [made(ScriptError), EXIT.failed],
    [made(DivergenceError), EXIT.failed],
    [new NotModelled('XSETBV'), EXIT.failed],
  ])('of %s is that of its class', (error, status) => {
    expect(isKnownError(error)).toBe(true);
    expect(statusOf(error)).toBe(status);
  });

  it('of a class derived from one of ours is that of ours', () => {
    class DeviceError extends UsageError {}
    expect(statusOf(made(DeviceError))).toBe(EXIT.usage);
  });

  it.each([new InternalError('a broken invariant'), new TypeError('x is not a function'), 'a string'])(
    'of %s says that something failed, and that it is a bug',
    (error) => {
      expect(isKnownError(error)).toBe(false);
      expect(statusOf(error)).toBe(EXIT.failed);
    },
  );
});
