import { ProtoWriter } from '../onnx/index.js'
import type { InferenceSession, Tensor } from '../ort.js'

/**
 * Runs of graphs that write every output where the caller wants it, and nowhere else.
 *
 * onnxruntime-node copies all outputs of a run into memory of its own, those as well that were written in place: in a train
 * step a copy of all gradients. It goes through them from the first to the last, and ends with an error at one that is no
 * tensor. So an empty sequence stands before all others: when it is reached the graph has run, and nothing was copied yet.
 * A version that can give sequences would copy again, and do no harm; one with other words for it fails in the first test.
 */
const SEQUENCE = 'in-place'
/** As onnxruntime-node 1.30 has it, the one version that this package asks for. */
const ENDED = 'Non tensor type is temporarily not supported.'

/** What stands before the bytes of an ONNX file. Messages of protocol buffers that follow one another are one message. */
const BEFORE = new ProtoWriter()
  .message(
    7,
    new ProtoWriter()
      .message(1, new ProtoWriter().string(2, SEQUENCE).string(4, 'SequenceEmpty'))
      .message(12, new ProtoWriter().string(1, SEQUENCE)),
  )
  .finish()

/** The ONNX file for `runInPlace`, and the file itself as a part of it. */
export function forRunInPlace(onnx: Uint8Array): { bytes: Uint8Array; onnx: Uint8Array } {
  const bytes = new ProtoWriter().raw(BEFORE).raw(onnx).finish()
  return { bytes, onnx: bytes.subarray(BEFORE.length) }
}

/** Runs a session of such a file. All outputs are in `fetches` already, to be written there. */
export async function runInPlace(
  session: InferenceSession,
  feeds: Record<string, Tensor>,
  fetches: Record<string, Tensor>,
): Promise<void> {
  await session.run(feeds, { ...fetches, [SEQUENCE]: null }).catch((error: Error) => {
    if (error.message !== ENDED) throw error
  })
}
