import { loadConfig } from '../config.js'
import { settleConsent } from '../consent.js'
import { type DemoJob, demoStages, describeDemo } from '../demo.js'
import { type Check, examine } from '../doctor.js'
import { type FlagGroup, textFlag } from '../flags.js'
import { describeRun, runStages } from '../run.js'
import { type Command, follow, generalFlags, inWorkspace, workspaceOf } from './command.js'
import {
  checkpointGroup,
  extractGroups,
  mergeGroups,
  mergeJobOf,
  modelGroup,
  samplesGroup,
  settingsGroup,
  trainGroup,
  trainJobOf,
} from './flag-groups.js'
import { provenanceGroup, provenanceJobOf } from './provenance-commands.js'
import {
  clipsFlag,
  configFlag,
  deviceFlag,
  fromScratchFlag,
  lengthFlags,
  presetFlag,
  resultFlag,
  workspaceFlag,
} from './shared-flags.js'

/** Groups as another command has them: help texts list their flags and say where they are explained. */
const toldBy = (help: string, ...groups: readonly FlagGroup[]): FlagGroup[] =>
  groups.map((group) => ({ ...group, toldBy: help }))

/** `dfl run` */
export const runCommand: Command = {
  name: 'run',
  summary: 'two clips in, a swapped video out: extract, train, merge',
  usage: '--src <clip…> --dst <clip> [--out <file>] [--time <duration>] [options]',
  about: [
    "Puts SRC's face into DST's clip. Whatever stops it, the same command goes on where it was; when all is done, it says so. With more --time it trains further and merges again.",
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        clipsFlag('src', 'Footage of who gives the face: a video or a folder of images; or several.', true),
        textFlag('dst', 'Footage that gets the face: a video or a folder of images.', {
          placeholder: 'clip',
          required: true,
        }),
        resultFlag(),
        ...lengthFlags('10m'),
        deviceFlag(),
        configFlag(),
        workspaceFlag(),
      ],
    },
    ...toldBy('dfl extract --help all', ...extractGroups({ both: true })),
    ...toldBy('dfl train --help all', trainGroup, checkpointGroup, samplesGroup, settingsGroup, modelGroup),
    ...toldBy('dfl merge --help all', ...mergeGroups, provenanceGroup),
    generalFlags,
  ],
  examples: [
    ['dfl run --src a.mp4 --dst b.mp4 --out c.mp4 --time 10m', "b.mp4 with the face of a.mp4's person"],
    ['dfl run --src a.mp4 --dst b.mp4 --out c.mp4 --time 1h', 'later: goes on training, then merges again'],
  ],
  async run(given, { terminal, signal }) {
    const { main = {}, extract = {}, merge = {} } = given
    const { src, dst, out } = main as { src: readonly string[]; dst: string; out?: string }
    const folder = workspaceOf(main)
    const config = await loadConfig((main as { config?: string }).config)
    return inWorkspace(folder, 'run', async (workspace) => {
      const { consent, provenance } = provenanceJobOf(given.provenance)
      const note = await settleConsent(workspace, { file: consent, terminal, signal })
      const job = {
        src,
        dst,
        ...(out === undefined ? {} : { out }),
        extract,
        merge: mergeJobOf(merge),
        train: trainJobOf(given),
        provenance,
      }
      const { stopped, ...result } = await follow(runStages(workspace, job, { signal, config }), terminal)
      if (!stopped)
        terminal.result(describeRun({ stopped, ...result }), { event: 'result', workspace: folder, ...result })
      if (!stopped && note) terminal.say(note)
      return { stopped }
    })
  },
}

/** `dfl demo` */
export const demoCommand: Command = {
  name: 'demo',
  summary: 'the main job on rendered heads, with the true swap beside it',
  usage: '[--time <duration>] [options]',
  about: [
    "Runs extract, train and merge on the repository's own footage, then compares the result with the true swap, which is known because the heads are rendered. Needs a checkout of the repository.",
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [...lengthFlags('5m'), presetFlag(), fromScratchFlag(), workspaceFlag('demo')],
    },
    generalFlags,
  ],
  examples: [
    ['dfl demo', 'about seven minutes on two idle cores'],
    ['dfl demo --time 30m', 'goes on for a sharper result'],
  ],
  async run({ main = {} }, { terminal, signal }) {
    const { time: seconds, iterations, preset, fromScratch } = main as Record<string, never>
    const workspace = workspaceOf(main, 'demo')
    const job: DemoJob = { seconds, iterations, preset, fromScratch }
    return inWorkspace(workspace, 'demo', async (place) => {
      const { stopped, ...result } = await follow(demoStages(place, job, { signal }), terminal)
      if (!stopped)
        terminal.result(`\n${describeDemo({ stopped, ...result })}`, { event: 'result', workspace, ...result })
      return { stopped }
    })
  },
}

/** `dfl doctor` */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'look whether everything works on this machine, and how fast',
  usage: '[options]',
  about: ['Checks Node, memory, disk, the packages, the video encoders and the networks, and times some training.'],
  groups: [generalFlags],
  examples: [['dfl doctor', 'takes about twenty seconds']],
  async run({ general = {} }, { terminal, signal }) {
    const checks: Check[] = []
    const signs = { ok: 'ok      ', warning: 'warning ', problem: 'PROBLEM ' } as const
    for await (const check of examine('.')) {
      if (signal?.aborted) return { stopped: true }
      checks.push(check)
      const { state, name, found, advice } = check
      const text = `${signs[state]} ${name.padEnd(13)} ${found}${advice ? `\n${' '.repeat(23)}${advice}` : ''}\n`
      if (general.json) terminal.say(text.trimEnd())
      else terminal.print(text)
    }
    const problems = checks.filter(({ state }) => state === 'problem').length
    const verdict = problems === 0 ? 'Everything that is needed works.' : `${problems} of these must be mended first.`
    terminal.result(`\n${verdict}`, { event: 'result', problems, checks })
    return { stopped: false, exitCode: problems === 0 ? 0 : 3 }
  },
}
