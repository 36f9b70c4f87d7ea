//! The requests to STS, by which an operator signs in, and to queues.

use aws_smithy_types::Blob;

use crate::hold;

#[tokio::test]
async fn sts_is_asked_as_by_the_whole_crate() {
    use aws_sdk_sts::types::{PolicyDescriptorType, ProvidedContext, Tag};
    let policy = || PolicyDescriptorType::builder().arn("arn:aws:iam::222222222222:policy/p").build();
    let context = ProvidedContext::builder().provider_arn("arn:aws:iam::aws:contextProvider/p").context_assertion("a");
    hold!(
        aws_sdk_sts,
        assume_role,
        role_arn("arn:aws:iam::222222222222:role/operator"),
        role_session_name("s"),
        policy_arns(policy()),
        policy("{}"),
        duration_seconds(900),
        tags(Tag::builder().key("k").value("a b&c=d/é").build().unwrap()),
        transitive_tag_keys("k"),
        external_id("e"),
        serial_number("arn:aws:iam::222222222222:mfa/operator"),
        token_code("123456"),
        source_identity("i"),
        provided_contexts(context.build()),
        minimum_session_token_size(3000),
    );
    hold!(
        aws_sdk_sts,
        assume_role_with_web_identity,
        role_arn("arn:aws:iam::222222222222:role/operator"),
        role_session_name("s"),
        web_identity_token("t"),
        provider_id("www.amazon.com"),
        policy_arns(policy()),
        policy("{}"),
        duration_seconds(900),
        minimum_session_token_size(3000),
    );
    hold!(aws_sdk_sts, get_caller_identity);
}

#[tokio::test]
async fn queues_are_asked_as_by_the_whole_crate() {
    use aws_sdk_sqs::types::{
        MessageAttributeValue, MessageSystemAttributeName, MessageSystemAttributeNameForSends,
        MessageSystemAttributeValue, QueueAttributeName,
    };
    const URL: &str = "https://sqs.eu-west-1.amazonaws.com/222222222222/copies.fifo";
    let attribute = MessageAttributeValue::builder()
        .data_type("String")
        .string_value("a b&c=d/é")
        .binary_value(Blob::new("b"))
        .string_list_values("l")
        .binary_list_values(Blob::new("l"));
    let header = MessageSystemAttributeValue::builder()
        .data_type("String")
        .string_value("v")
        .binary_value(Blob::new("b"))
        .string_list_values("l")
        .binary_list_values(Blob::new("l"));
    hold!(aws_sdk_sqs, change_message_visibility, queue_url(URL), receipt_handle("r"), visibility_timeout(30));
    hold!(aws_sdk_sqs, delete_message, queue_url(URL), receipt_handle("r"));
    hold!(aws_sdk_sqs, get_queue_attributes, queue_url(URL), attribute_names(QueueAttributeName::All));
    hold!(
        aws_sdk_sqs,
        receive_message,
        queue_url(URL),
        message_system_attribute_names(MessageSystemAttributeName::All),
        message_attribute_names("All"),
        max_number_of_messages(10),
        visibility_timeout(30),
        wait_time_seconds(20),
        receive_request_attempt_id("t"),
    );
    hold!(
        aws_sdk_sqs,
        send_message,
        queue_url(URL),
        message_body("{\"a\": \"b&c=d/é\"}"),
        delay_seconds(1),
        message_attributes("k", attribute.build().unwrap()),
        message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, header.build().unwrap()),
        message_deduplication_id("d"),
        message_group_id("g"),
    );
}
