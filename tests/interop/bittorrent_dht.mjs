// Nodes of npm bittorrent-dht, driven by JSON lines: {"id", "do", ...} in, {"id", "ok" | "error", ...} out.
import { createHash, createPublicKey, createPrivateKey, sign, verify } from 'node:crypto'
import { createInterface } from 'node:readline'
import DHT from 'bittorrent-dht'

const SPKI = Buffer.from('302a300506032b6570032100', 'hex')
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

const publicKey = (raw) => createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' })
const privateKey = (seed) => createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
const verifyItem = (signature, message, key) => verify(null, message, publicKey(Buffer.from(key)), signature)
const bytes = (hex) => Buffer.from(hex ?? '', 'hex')
const hex = (data) => Buffer.from(data).toString('hex')

const nodes = []

// What each request does with its node; an answer's fields, or a throw.
const requests = {
  start: ({ address, port, bootstrap }) => new Promise((resolve) => {
    const dht = new DHT({ bootstrap, host: address, verify: verifyItem })
    dht.on('error', (error) => say({ event: 'error', error: String(error) }))
    dht.listen(port, address, () => resolve({ node: nodes.push(dht) - 1 }))
  }),
  count: ({ dht }) => ({ nodes: dht.nodes.toArray().length }),
  put_value: ({ dht, value }) => put(dht, { v: bytes(value) }),
  get_value: ({ dht, target }) => get(dht, bytes(target), {}),
  put_mutable: ({ dht, seed, value, seq, salt, cas }) => {
    const secret = privateKey(bytes(seed))
    const k = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(SPKI.length)
    const item = { k, v: bytes(value), seq, sign: (message) => sign(null, message, secret) }
    if (salt) item.salt = bytes(salt)
    if (cas !== undefined) item.cas = cas
    return put(dht, item)
  },
  get_mutable: ({ dht, key, salt }) => {
    const target = createHash('sha1').update(bytes(key)).update(bytes(salt)).digest()
    return get(dht, target, salt ? { salt: bytes(salt) } : {})
  },
  announce: ({ dht, info_hash: infoHash, port }) => new Promise((resolve, reject) => {
    dht.announce(bytes(infoHash), port, (error) => error ? reject(error) : resolve({}))
  }),
  peers: ({ dht, info_hash: infoHash }) => new Promise((resolve, reject) => {
    const peers = new Set()
    const found = (peer, about) => { if (hex(about) === infoHash) peers.add(`${peer.host}:${peer.port}`) }
    dht.on('peer', found)
    dht.lookup(bytes(infoHash), (error) => {
      dht.off('peer', found)
      if (error) reject(error)
      else resolve({ peers: [...peers] })
    })
  })
}

function put (dht, item) {
  return new Promise((resolve, reject) => {
    dht.put(item, (error, target, copies) => error ? reject(error) : resolve({ target: hex(target), copies }))
  })
}

function get (dht, target, options) {
  return new Promise((resolve, reject) => {
    dht.get(target, { ...options, cache: false }, (error, found) => {
      if (error) reject(error)
      else resolve(found ? { value: hex(found.v), seq: found.seq } : { value: null })
    })
  })
}

const say = (message) => process.stdout.write(JSON.stringify(message) + '\n')

createInterface({ input: process.stdin }).on('line', async (line) => {
  const request = JSON.parse(line)
  try {
    const answer = await requests[request.do]({ ...request, dht: nodes[request.node] })
    say({ id: request.id, ok: true, ...answer })
  } catch (error) {
    say({ id: request.id, ok: false, error: String(error) })
  }
}).on('close', () => process.exit(0))
