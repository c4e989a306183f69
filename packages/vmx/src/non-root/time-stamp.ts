// SDM, "Changes to Instruction Behavior in VMX Non-Root Operation", RDTSC, RDTSCP and RDMSR of the time-stamp counter: offset and scaling.
import { type Cpu, isInGuestMode } from '@retrovisor/core';
import { Primary, Secondary } from '../controls.js';
import { guestValue, isOn } from './controls-in-use.js';

/** The multiplier has 48 bits after its binary point. */
const FRACTION = 48n;

/** Intercept: the time-stamp counter as the guest reads it. */
export function shownTimeStamp(cpu: Cpu, value: bigint): bigint {
  if (!isInGuestMode(cpu) || !isOn(cpu, Primary['use TSC offsetting'])) return value;
  const isScaled = isOn(cpu, Secondary['use TSC scaling']);
  const scaled = isScaled ? (value * guestValue(cpu, 'tscMultiplier')) >> FRACTION : value;
  return BigInt.asUintN(64, scaled + guestValue(cpu, 'tscOffset'));
}
