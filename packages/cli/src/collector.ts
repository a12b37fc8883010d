import { setFlagsFromString } from 'node:v8'

/**
 * Has V8 collect garbage when the heap has grown by 200 % since the last time, where it would by 20 % or 8 MB. For programs:
 * it holds for the whole process, and must be called before much else is done.
 *
 * What decoded frames hold counts as the heap's. A dozen of them come and go beside a heap of 20 MB, so that V8 would walk
 * through all of it every five frames, for nothing: frames are freed when they are closed.
 */
export function patientCollector(): void {
  setFlagsFromString('--heap-growing-percent=200')
}
