#include "options/identity_options.h"

namespace everyitem::options {

void add_identity_options(CLI::App& verb, identity::IdentityFlags& flags,
                          const std::string& group) {
  verb.add_option("--profile", flags.profile, "A profile of the AWS configuration files")
      ->type_name("NAME")
      ->group(group);
  verb.add_option("--role-arn", flags.role_arn,
                  "Assume this role, with whatever credentials there are")
      ->type_name("ARN")
      ->group(group);
  verb.add_option("--region", flags.region, "The AWS region of table and stream")
      ->type_name("REGION")
      ->group(group);
  verb.add_option("--endpoint-url", flags.endpoint_url,
                  "Another endpoint, for all services;\n"
                  "AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_KINESIS and\n"
                  "AWS_ENDPOINT_URL_SSM give one for each")
      ->type_name("URL")
      ->group(group);
  verb.add_flag("--insecure-http", flags.insecure_http,
                "Allow http:// endpoints on other machines, where all on\n"
                "the way can read what is sent")
      ->group(group);
}

}  // namespace everyitem::options
