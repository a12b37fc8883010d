/** The libraries that write manifests and certificates, loaded when first needed: the only file that imports them. */
export async function loadC2pa() {
  const [manifest, jumbf, asset, cose, x509] = await Promise.all([
    import('@trustnxt/c2pa-ts/manifest'),
    import('@trustnxt/c2pa-ts/jumbf'),
    import('@trustnxt/c2pa-ts/asset'),
    import('@trustnxt/c2pa-ts/cose'),
    import('@peculiar/x509'),
  ])
  return { ...manifest, ...jumbf, ...asset, ...cose, x509 }
}

export type { Signer } from '@trustnxt/c2pa-ts/cose'
export type { Manifest } from '@trustnxt/c2pa-ts/manifest'
/** What `loadC2pa` gives. */
export type C2pa = Awaited<ReturnType<typeof loadC2pa>>
