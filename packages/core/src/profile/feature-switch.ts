// A profile with features switched off, so that software can be tried on hardware that lacks them: the text
// `intel-server,-x2APIC,-enable EPT` names a profile and what it is to be without. Features are the bits of CPUID that core
// models, by the names of cpuid-features.ts, and what plugins declare.
import { UsageError } from '../error.js';
import type { Plugin } from '../plugin/define.js';
import { FEATURES } from '../register/cpuid-features.js';
import type { ProcessorProfile } from './profile.js';

/** What a profile is without a feature. Its name stays: whoever switches gives the result one. */
export type FeatureSwitch = (profile: ProcessorProfile) => ProcessorProfile;

/** The name of the profile itself: what comes before the features. */
export function baseName(text: string): string {
  return text.split(',', 1)[0] ?? text;
}

/**
 * The profile that a text names, given the one that it begins with.
 * @throws UsageError PROFILE_FEATURE for a feature that cannot be switched off
 */
export function withoutFeatures(base: ProcessorProfile, text: string, plugins: readonly Plugin[]): ProcessorProfile {
  const parts = text
    .split(',')
    .slice(1)
    .map((part) => part.trim());
  if (parts.length === 0) return base;
  const switched = parts.reduce((profile, part) => switchOff(part, plugins)(profile), base);
  return { ...switched, name: [base.name, ...parts].join(','), aliases: [] };
}

function switchOff(part: string, plugins: readonly Plugin[]): FeatureSwitch {
  const feature = part.slice(1);
  const ofPlugin = plugins.find(({ features = {} }) => Object.hasOwn(features, feature))?.features?.[feature];
  const found = ofPlugin ?? cpuidSwitch(feature);
  if (part.startsWith('-') && found !== undefined) return found;
  const accepted = [
    ...new Set(FEATURES.map(({ name }) => name)),
    ...plugins.flatMap(({ features = {} }) => Object.keys(features)),
  ];
  throw new UsageError(
    'PROFILE_FEATURE',
    { feature: part, accepted },
    `${part} switches no feature off: a minus sign and a name are accepted, such as -${accepted.at(0)} and -${accepted.at(-1)}`,
  );
}

/** Clears the bit in its leaf. */
function cpuidSwitch(feature: string): FeatureSwitch | undefined {
  const row = FEATURES.find(({ name }) => name === feature);
  if (row === undefined) return undefined;
  const { leaf, subleaf, register, bit } = row;
  return (profile) => ({
    ...profile,
    cpuid: profile.cpuid.map((each) =>
      each.leaf === leaf && (each.subleaf ?? 0) === subleaf
        ? { ...each, [register]: (each[register] & ~(1 << bit)) >>> 0 }
        : each,
    ),
  });
}
