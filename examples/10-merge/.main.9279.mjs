var __knownSymbol = (name, symbol) => ((symbol = Symbol[name]) ? symbol : /* @__PURE__ */ Symbol.for('Symbol.' + name))
var __typeError = (msg) => {
  throw TypeError(msg)
}
var __using = (stack, value, async) => {
  if (value != null) {
    if (typeof value !== 'object' && typeof value !== 'function') __typeError('Object expected')
    var dispose, inner
    if (async) dispose = value[__knownSymbol('asyncDispose')]
    if (dispose === void 0) {
      dispose = value[__knownSymbol('dispose')]
      if (async) inner = dispose
    }
    if (typeof dispose !== 'function') __typeError('Object not disposable')
    if (inner)
      dispose = function () {
        try {
          inner.call(this)
        } catch (e) {
          return Promise.reject(e)
        }
      }
    stack.push([async, dispose, value])
  } else if (async) {
    stack.push([async])
  }
  return value
}
var __callDispose = (stack, error, hasError) => {
  var E =
    typeof SuppressedError === 'function'
      ? SuppressedError
      : (e, s, m, _2) => ((_2 = Error(m)), (_2.name = 'SuppressedError'), (_2.error = e), (_2.suppressed = s), _2)
  var fail = (e) =>
    (error = hasError ? new E(e, error, 'An error was suppressed during disposal') : ((hasError = true), e))
  var next = (it) => {
    while ((it = stack.pop())) {
      try {
        var result2 = it[1] && it[1].call(it[2])
        if (it[0]) return Promise.resolve(result2).then(next, (e) => (fail(e), next()))
      } catch (e) {
        fail(e)
      }
    }
    if (hasError) throw error
  }
  return next()
}

import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { imageToFaceMat } from '@dfl/align'
import { boxBlur } from '@dfl/image'
import { openFrames } from '@dfl/media'
import { blur, colorTransfer, erode, mask, mergeVideo, overlay } from '@dfl/merge'

var _stack = []
try {
  var examples = join(import.meta.dirname, '..')
  var out = join(examples, 'out/merged.mp4')
  await rm(out, { force: true })
  var { frames: truth } = JSON.parse(await readFile(join(examples, 'footage/pair1-dst.json'), 'utf8'))
  var swapper = {
    faceType: 'full_face',
    resolution: 128,
    swap: async (crops) => {
      const full = { data: new Float32Array(128 * 128).fill(1), width: 128, height: 128, channels: 1 }
      return crops.map((dst) => ({ face: boxBlur(dst, 10), mask: full, dstMask: full }))
    },
  }
  var facesOf = ({ index, name }) => {
    const sourceLandmarks = truth[index].lm68
    const place = { filename: '', sourceFilename: name, frameIndex: index, timestampSeconds: index / 24, faceIndex: 0 }
    const face = { faceType: 'full_face', size: 256, landmarks: [], sourceLandmarks, score: 1 }
    const imageToFace = imageToFaceMat(sourceLandmarks, 'full_face', 256)
    return [{ ...place, ...face, sourceRect: { x: 0, y: 0, width: 640, height: 360 }, imageToFaceMat: imageToFace }]
  }
  var thinner = (face) => ({ ...face, mask: { ...face.mask, data: face.mask.data.map((v) => 0.9 * v) } })
  var stages = [mask('dst'), erode(6), blur(24), colorTransfer('rct'), thinner, overlay()]
  var frames = join(examples, 'footage/pair1-dst.mp4')
  for await (const { done, frames: count, fps } of mergeVideo({ frames, faces: facesOf, swapper, stages, out }))
    if (done % 48 === 0) console.log(`${done} of ${count} frames, ${fps.toFixed(0)} frames/s`)
  var result = __using(_stack, await openFrames(out), true)
  console.log(`examples/out/merged.mp4: ${result.info.frameCount} frames, sound ${result.info.audio[0]?.codec}`)
} catch (_) {
  var _error = _,
    _hasError = true
} finally {
  var _promise = __callDispose(_stack, _error, _hasError)
  _promise && (await _promise)
}
