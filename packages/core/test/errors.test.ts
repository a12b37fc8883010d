import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { DflError, isDflError, receivedError, type SentError, sentError } from '../src/index.js'

/** What another thread gets of an error. */
function acrossThreads(error: unknown): Error {
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(sentError(error))
  const { message } = receiveMessageOnPort(port2) as { message: SentError }
  port1.close()
  return receivedError(message)
}

it('an error keeps its code, words, details and stack on the way between threads', () => {
  const error = new DflError('BAD_SHAPE', 'Expected a square.', { data: { path: 'a.png' } })
  const arrived = acrossThreads(error)
  expect(isDflError(arrived, 'BAD_SHAPE')).toBe(true)
  expect(arrived).toMatchObject({ message: 'Expected a square.', data: { path: 'a.png' }, stack: error.stack })
})

it('an error of another kind arrives as what it was called', () => {
  const arrived = acrossThreads(new RangeError('too far'))
  expect(isDflError(arrived)).toBe(false)
  expect(arrived).toMatchObject({ name: 'RangeError', message: 'too far' })
})
