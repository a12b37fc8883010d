import {
  type ConsentRecord,
  consentEnded,
  consentHash,
  consentRecord,
  type Provenance,
  readProvenance,
} from '@dfl/provenance'
import { consentPath, keepConsent, readConsent } from '../consent.js'
import { type FlagGroup, switchFlag, textFlag } from '../flags.js'
import type { ProvenanceJob } from '../provenance.js'
import { openWorkspace, type Workspace } from '../workspace.js'
import { type Command, generalFlags, inWorkspace, workspaceOf } from './command.js'
import { workspaceFlag } from './shared-flags.js'

/** Flags of how a result says that it is synthetic. */
export const provenanceGroup: FlagGroup = {
  key: 'provenance',
  title: 'Provenance',
  detail: true,
  flags: [
    switchFlag(
      'provenance',
      'Say in the result, in a signed manifest, that it is synthetic and how it was made.',
      true,
    ),
    textFlag('consent', 'Record of who agreed to what (JSON, see dfl consent --help); kept in the workspace.', {
      placeholder: 'file',
    }),
    textFlag('certificate', 'PEM file of your certificate and those that vouch for it; a self-made one if not given.', {
      placeholder: 'file',
    }),
    textFlag('key', "PEM file of the certificate's private key.", { placeholder: 'file' }),
  ],
}

/** The group's values: the file of a consent record, and the rest. */
export function provenanceJobOf(given: Readonly<Record<string, unknown>> = {}): {
  consent?: string
  provenance: ProvenanceJob
} {
  const { consent, ...provenance } = given as ProvenanceJob & { consent?: string }
  return { ...(consent === undefined ? {} : { consent }), provenance }
}

/** What each verdict means, for people. */
const VERDICTS: Readonly<Record<Provenance['verdict'], string>> = {
  intact: 'Intact: it is as it was when it was signed.',
  changed: 'Changed: it was signed, and edited since.',
  unproven: 'Unproven: it has a manifest that does not hold.',
  marked: 'Marked, not signed: what it says can be neither proven nor disproven.',
  silent: 'It says nothing about where it comes from.',
}

/** Exit code for a file that is not what was signed. */
const NOT_AS_SIGNED = 3

/** `dfl verify` */
export const verifyCommand: Command = {
  name: 'verify',
  summary: 'read where a file says it comes from, and whether that holds',
  usage: '<file> [options]',
  takes: 'file',
  about: [
    'Reads C2PA manifests and XMP of videos, images and folders of images, and comments of videos, whoever made them: whether the file says that it is synthetic, whether it is as it was when it was signed, and whose signature that is. Whether the signer can be trusted is for you to say: certificates are not checked against a list.',
    `Exits with 0 where the file is intact, marked or silent, and with ${NOT_AS_SIGNED} where it was changed or its manifest does not hold.`,
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [textFlag('file', 'The file or folder; --file may be left out.', { placeholder: 'file', required: true })],
    },
    generalFlags,
  ],
  examples: [
    ['dfl verify c.mp4', 'what c.mp4 says'],
    ['dfl verify frames --json', 'a folder of images, for programs'],
  ],
  async run({ main = {} }, { terminal }) {
    const read = await readProvenance((main as { file: string }).file)
    terminal.result(describeProvenance(read), { event: 'result', ...read })
    const holds = read.verdict !== 'changed' && read.verdict !== 'unproven'
    return { stopped: false, exitCode: holds ? 0 : NOT_AS_SIGNED }
  },
}

/** What a file says, in lines for people. */
export function describeProvenance(read: Provenance): string {
  const {
    verdict,
    remarks,
    digitalSourceType,
    xmp,
    manifest,
    tool,
    actions,
    origin = {},
    signedBy,
    changedFiles,
  } = read
  const term = (type: string) => type.replace(/^.*\//, '')
  const lines: [string, string | undefined][] = [
    ['File', read.path],
    ['Verdict', [VERDICTS[verdict], ...remarks].join(' ')],
    ['Files', changedFiles && shortened(changedFiles)],
    ['It says', digitalSourceType && term(digitalSourceType)],
    ['XMP', xmp !== undefined && xmp !== digitalSourceType ? term(xmp) : undefined],
    ['Manifest', manifest],
    ['Made by', tool],
    ['Actions', actions?.join(', ')],
    ['From', origin.dst && [origin.dst.name, sha(origin.dst.sha256)].filter(Boolean).join(', ')],
    [
      'Model',
      origin.model &&
        `${origin.model.architecture}, ${origin.model.iterations} iterations, ${sha(origin.model.sha256)}`,
    ],
    ['Consent', origin.consent ? sha(origin.consent.sha256) : origin.model && 'no record'],
    ['Signed by', signedBy && `${[signedBy.name, signedBy.organisation].filter(Boolean).join(', ')}`],
    ['', signedBy && !signedBy.selfMade ? `vouched for by ${signedBy.issuer}` : undefined],
    [
      '',
      signedBy &&
        `valid from ${signedBy.validFrom} to ${signedBy.validUntil}, certificate ${sha(signedBy.fingerprint)}`,
    ],
  ]
  return lines.flatMap(([label, text]) => (text ? [`${label.padEnd(10)}${text}`] : [])).join('\n')
}

const sha = (hash: string) => (hash === '' ? '' : `SHA-256 ${hash}`)

const shortened = (names: readonly string[]) =>
  names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ')

/** `dfl consent` */
export const consentCommand: Command = {
  name: 'consent',
  summary: 'write down who agreed to what, or show it',
  usage: '[--who <names> --scope <text> [--until <day>]] [options]',
  about: [
    'Keeps the record as consent.json in the workspace. Its hash goes into the manifest of every result, so that the record can be shown to be the one that was there; the record itself does not leave the workspace. Without --who it shows the record.',
  ],
  groups: [
    {
      key: 'main',
      title: 'Options',
      flags: [
        textFlag('who', 'The people whose faces are used, or who speaks for them.', { placeholder: 'names' }),
        textFlag('scope', 'What they agreed to: the production, the scenes, the number of a contract.'),
        textFlag('until', 'The last day on which it holds, such as 2027-12-31; no end if not given.', {
          placeholder: 'day',
        }),
        workspaceFlag(),
      ],
    },
    generalFlags,
  ],
  examples: [
    ['dfl consent --who "Ada Byron" --scope "Film X, scene 12" --until 2027-12-31', 'writes workspace/consent.json'],
    ['dfl consent', 'shows it'],
  ],
  async run({ main = {} }, { terminal }) {
    const { workspace: _, ...said } = main as Record<string, string>
    const show = (workspace: Workspace, record: ConsentRecord | undefined) => {
      const path = consentPath(workspace)
      const data = record ? { path, sha256: consentHash(record), record } : {}
      terminal.result(describeConsent(record, path), { event: 'result', ...data })
      return { stopped: false }
    }
    if (Object.keys(said).length === 0) {
      const workspace = await openWorkspace(workspaceOf(main))
      return show(workspace, await readConsent(workspace))
    }
    return inWorkspace(workspaceOf(main), 'consent', async (workspace) => {
      const record = consentRecord(said)
      await keepConsent(workspace, record)
      return show(workspace, record)
    })
  },
}

function describeConsent(record: ConsentRecord | undefined, path: string): string {
  if (!record) return `There is no consent record. Write one: dfl consent --who <names> --scope <what for>`
  return [
    `Who      ${record.who}`,
    `Scope    ${record.scope}`,
    `Until    ${record.until ?? 'no end'}${consentEnded(record) ? ' (over)' : ''}`,
    `Record   ${path}, SHA-256 ${consentHash(record)}`,
  ].join('\n')
}
