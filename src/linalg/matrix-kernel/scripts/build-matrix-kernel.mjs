/** Embeds matrix-kernel/assembly in matrix-kernel.generated.ts: see embedModule for its options. */
import { embedModule } from '../../../../firmware-protocol/tools/scripts/embed-module.mjs';

await embedModule({
  folder: 'src/linalg/matrix-kernel',
  target: 'src/linalg/matrix-kernel/matrix-kernel.generated.ts',
  name: 'MATRIX_KERNEL_BASE64',
  script: 'src/linalg/matrix-kernel/scripts/build-matrix-kernel.mjs',
});
