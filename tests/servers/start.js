'use strict'
// One test server in one process: dynalite (DynamoDB) or kinesalite (Kinesis), in memory.
//
//   node start.js dynamodb|kinesis [--stay] [--name value ...]
//
// Listens on 127.0.0.1 at a port that the kernel chooses and prints one line,
// {"service":..,"port":..,"pid":..}, once it accepts connections. Ends on SIGTERM, and when its
// standard input closes, so that it never outlives its parent; --stay ignores the input.
// Every other option goes to the library, for example --createStreamMs 5000.

const libraries = {
  dynamodb: ['dynalite', { createTableMs: 5, deleteTableMs: 5, updateTableMs: 5 }],
  kinesis: ['kinesalite', { createStreamMs: 5, deleteStreamMs: 5, updateStreamMs: 5, shardLimit: 1000 }],
}

function usage(problem) {
  console.error(`start.js: ${problem}\nusage: node start.js dynamodb|kinesis [--stay] [--name value ...]`)
  process.exit(2)
}

const [service, ...rest] = process.argv.slice(2)
if (!libraries[service]) usage(`no such service: ${service}`)
const [library, options] = libraries[service]
let stay = false
while (rest.length) {
  const name = rest.shift()
  if (name === '--stay') {
    stay = true
    continue
  }
  const value = Number(rest.shift())
  if (!name.startsWith('--') || Number.isNaN(value)) usage(`not an option with a number: ${name}`)
  options[name.slice(2)] = value
}

// Both libraries throw if a client disconnects in the middle of a request. Tests kill clients on
// purpose, so that alone must not end the server.
process.on('uncaughtException', (error) => {
  if (['ECONNRESET', 'EPIPE'].includes(error.code)) return
  console.error(error.stack)
  process.exit(1)
})
if (!stay) {
  const leave = () => process.exit(0)
  process.stdin.on('end', leave).on('close', leave).on('error', leave).resume()
}

const server = require(library)(options)
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ service, port: server.address().port, pid: process.pid }))
})
