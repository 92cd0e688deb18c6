/** `npm run rotation`: signing keys that change every second for a minute, under load; what came of it is printed. */

import { rotateUnderLoad } from "./support/rotations.js";

const { rotations, verified, falselyRefused, took } = await rotateUnderLoad(60, 1_000);
const at = (share: number) => (took[Math.ceil(took.length * share) - 1] ?? Infinity).toFixed(1);
console.log(`${rotations} rotations, ${verified} tokens verified: ${falselyRefused.length} false refusals`);
console.log(`a revoked key is refused by who listens after: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms`);
for (const refusal of falselyRefused) console.error(refusal);
if (falselyRefused.length > 0 || took.some((ms) => ms >= 1_000)) process.exitCode = 1;
