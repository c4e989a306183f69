// The profiles that come with retrovisor, and how a name finds one.
import { UsageError } from '../error.js';
import { AMD_GENOA } from './amd-genoa.js';
import { AMD_TURIN } from './amd-turin.js';
import { INTEL_CONROE } from './intel-conroe.js';
import { INTEL_EMERALD_RAPIDS } from './intel-emerald-rapids.js';
import { INTEL_GULFTOWN } from './intel-gulftown.js';
import { INTEL_SAPPHIRE_RAPIDS } from './intel-sapphire-rapids.js';
import type { ProcessorProfile } from './profile.js';

/** Every profile, by vendor, newest first. */
export const PROFILES: readonly ProcessorProfile[] = [
  INTEL_EMERALD_RAPIDS,
  INTEL_SAPPHIRE_RAPIDS,
  INTEL_GULFTOWN,
  INTEL_CONROE,
  AMD_TURIN,
  AMD_GENOA,
];

/**
 * The profile with that name or alias, letter case included.
 *
 * @throws UsageError `UNKNOWN_PROFILE`, with the names that would be accepted.
 * @example findProfile('intel-server').physicalAddressWidth // 46
 */
export function findProfile(name: string): ProcessorProfile {
  const found = PROFILES.find((profile) => namesOf(profile).includes(name));
  if (found !== undefined) return found;
  const accepted = PROFILES.flatMap(namesOf);
  throw new UsageError(
    'UNKNOWN_PROFILE',
    { name, accepted },
    `No processor profile is called "${name}"; there are ${accepted.join(', ')}.`,
  );
}

function namesOf(profile: ProcessorProfile): readonly string[] {
  return [profile.name, ...profile.aliases];
}
