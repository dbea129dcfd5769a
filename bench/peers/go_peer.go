// The benchmark's peer in Go: the official SDK, one goroutine per segment, PutRecords
// requests of 500.
package main

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kin "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

const (
	mostRecords = 500
	mostBytes   = 5 << 20
)

var (
	endpoint = flag.String("endpoint-url", "", "of both services")
	table    = flag.String("table", "", "")
	stream   = flag.String("stream", "", "")
	segments = flag.Int("segments", 8, "")
)

// appendString appends a JSON string. The SDK cannot write DynamoDB's JSON, and encoding/json would
// write the fields of the SDK's types, and escape < and >.
func appendString(out []byte, text string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	start := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out = append(out, text[start:i]...)
		if c < ' ' {
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			out = append(out, '\\', c)
		}
		start = i + 1
	}
	out = append(out, text[start:]...)
	return append(out, '"')
}

func appendStrings(out []byte, texts []string) []byte {
	out = append(out, '[')
	for i, text := range texts {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendString(out, text)
	}
	return append(out, ']')
}

func appendValue(out []byte, value ddb.AttributeValue) []byte {
	switch v := value.(type) {
	case *ddb.AttributeValueMemberS:
		out = appendString(append(out, `{"S":`...), v.Value)
	case *ddb.AttributeValueMemberN:
		out = appendString(append(out, `{"N":`...), v.Value)
	case *ddb.AttributeValueMemberBOOL:
		out = append(out, fmt.Sprintf(`{"BOOL":%t`, v.Value)...)
	case *ddb.AttributeValueMemberNULL:
		out = append(out, `{"NULL":true`...)
	case *ddb.AttributeValueMemberB:
		out = appendString(append(out, `{"B":`...), base64.StdEncoding.EncodeToString(v.Value))
	case *ddb.AttributeValueMemberSS:
		out = appendStrings(append(out, `{"SS":`...), v.Value)
	case *ddb.AttributeValueMemberNS:
		out = appendStrings(append(out, `{"NS":`...), v.Value)
	case *ddb.AttributeValueMemberBS:
		texts := make([]string, len(v.Value))
		for i, bytes := range v.Value {
			texts[i] = base64.StdEncoding.EncodeToString(bytes)
		}
		out = appendStrings(append(out, `{"BS":`...), texts)
	case *ddb.AttributeValueMemberL:
		out = append(out, `{"L":[`...)
		for i, element := range v.Value {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendValue(out, element)
		}
		out = append(out, ']')
	case *ddb.AttributeValueMemberM:
		out = appendItem(append(out, `{"M":`...), v.Value, "")
	}
	return append(out, '}')
}

// appendItem appends the attribute named `first` before the others.
func appendItem(out []byte, item map[string]ddb.AttributeValue, first string) []byte {
	names := make([]string, 0, len(item))
	for name := range item {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if (names[i] == first) != (names[j] == first) {
			return names[i] == first
		}
		return names[i] < names[j]
	})
	out = append(out, '{')
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendString(out, name), ':')
		out = appendValue(out, item[name])
	}
	return append(out, '}')
}

func put(client *kinesis.Client, records []kin.PutRecordsRequestEntry) error {
	for len(records) > 0 {
		response, err := client.PutRecords(context.Background(),
			&kinesis.PutRecordsInput{StreamName: stream, Records: records})
		if err != nil || aws.ToInt32(response.FailedRecordCount) == 0 {
			return err
		}
		var failed []kin.PutRecordsRequestEntry
		for i, result := range response.Records {
			if result.ErrorCode != nil {
				failed = append(failed, records[i])
			}
		}
		records = failed
	}
	return nil
}

func deliver(source *dynamodb.Client, destination *kinesis.Client, segment int) error {
	pages := dynamodb.NewScanPaginator(source, &dynamodb.ScanInput{
		TableName:     table,
		Segment:       aws.Int32(int32(segment)),
		TotalSegments: aws.Int32(int32(*segments)),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			return err
		}
		records := make([]kin.PutRecordsRequestEntry, 0, mostRecords)
		size := 0
		for _, item := range page.Items {
			key := item["pk"].(*ddb.AttributeValueMemberS).Value
			data := appendItem(make([]byte, 0, 512), item, "pk")
			if len(records) == mostRecords || size+len(data)+len(key) > mostBytes {
				if err := put(destination, records); err != nil {
					return err
				}
				records, size = records[:0], 0
			}
			records = append(records,
				kin.PutRecordsRequestEntry{Data: data, PartitionKey: aws.String(key)})
			size += len(data) + len(key)
		}
		if err := put(destination, records); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	flag.Parse()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 2 * *segments
	settings := aws.Config{
		Region:     os.Getenv("AWS_REGION"),
		HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
			}, nil
		}),
		EndpointResolverWithOptions: aws.EndpointResolverWithOptionsFunc(
			func(string, string, ...interface{}) (aws.Endpoint, error) {
				return aws.Endpoint{URL: strings.TrimSuffix(*endpoint, "/")}, nil
			}),
	}
	source := dynamodb.NewFromConfig(settings)
	destination := kinesis.NewFromConfig(settings)
	var running sync.WaitGroup
	failures := make([]error, *segments)
	for segment := 0; segment < *segments; segment++ {
		running.Add(1)
		go func(segment int) {
			defer running.Done()
			failures[segment] = deliver(source, destination, segment)
		}(segment)
	}
	running.Wait()
	for _, err := range failures {
		if err != nil {
			fmt.Fprintln(os.Stderr, "go_peer:", err)
			os.Exit(1)
		}
	}
}
