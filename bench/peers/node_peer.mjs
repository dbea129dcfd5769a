// The benchmark's peer in Node: the official SDK, all segments in parallel, PutRecords
// requests of 500, all requests of a page in parallel, persistent connections.
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { parseArgs } from "node:util";

import { DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

const MAX_RECORDS = 500;
const MAX_BYTES = 5 << 20;

const { values: options } = parseArgs({
  options: {
    "endpoint-url": { type: "string" },
    table: { type: "string" },
    stream: { type: "string" },
    segments: { type: "string", default: "8" },
  },
});
const segments = Number(options.segments);
const connections = { keepAlive: true, maxSockets: 64 };
const settings = {
  endpoint: options["endpoint-url"],
  requestHandler: new NodeHttpHandler({
    httpAgent: new HttpAgent(connections),
    httpsAgent: new HttpsAgent(connections),
  }),
};
const dynamodb = new DynamoDBClient(settings);
const kinesis = new KinesisClient(settings);

async function put(records) {
  while (records.length > 0) {
    const response = await kinesis.send(
      new PutRecordsCommand({ StreamName: options.stream, Records: records }),
    );
    if (response.FailedRecordCount === 0) {
      return;
    }
    records = records.filter((_, i) => response.Records[i].ErrorCode);
  }
}

function* batches(items) {
  let records = [];
  let bytes = 0;
  for (const item of items) {
    const data = Buffer.from(JSON.stringify(item));
    const key = item.pk.S;
    if (records.length === MAX_RECORDS || bytes + data.length + key.length > MAX_BYTES) {
      yield records;
      records = [];
      bytes = 0;
    }
    records.push({ Data: data, PartitionKey: key });
    bytes += data.length + key.length;
  }
  if (records.length > 0) {
    yield records;
  }
}

async function deliver(segment) {
  let items = 0;
  const request = { TableName: options.table, Segment: segment, TotalSegments: segments };
  for await (const page of paginateScan({ client: dynamodb }, request)) {
    await Promise.all([...batches(page.Items)].map(put));
    items += page.Items.length;
  }
  return items;
}

const counts = await Promise.all(Array.from({ length: segments }, (_, i) => deliver(i)));
console.log(counts.reduce((sum, items) => sum + items, 0));
process.exit();
