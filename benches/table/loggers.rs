//! The same record by loggers that are not `tracing`.

use std::path::Path;
use std::sync::Arc;

use audited_benches::transfer::Order;
use logforth::kv::{Key, Value};
use slog::Drain as _;
use spdlog::sink::FileSink;
use uuid::Uuid;

use super::peers::lines;
use super::ways::Way;

pub(super) fn slog(directory: &Path) -> Way {
    let json = slog_json::Json::new(lines(directory, "slog")).add_default_keys().build().fuse();
    let queue = slog_async::Async::new(json)
        .chan_size(1 << 16)
        .overflow_strategy(slog_async::OverflowStrategy::Block)
        .build()
        .fuse();
    let (logger, order) = (slog::Logger::root(queue, slog::o!()), Order::example());
    Way::new("slog-async JSON, its queue", move || {
        slog::info!(
            logger, "audit"; "schema" => 1, "id" => %Uuid::now_v7(), "kind" => "call", "stage" => "completed",
            "action" => "account.transfer", "decision" => "allow", "outcome" => "success", "latency_us" => 3,
            "actor.kind" => "user", "actor.id" => "u-17", "resource.kind" => "account", "resource.id" => "acc-2020",
            "tenant" => "acme", "source.ip" => "203.0.113.7", "source.user_agent" => "acme-app/4.2",
            "correlation_id" => "req-01hv8k", "cents" => order.cents, "urgent" => order.urgent,
            "currency" => order.currency.clone(), "to" => order.to.clone(), "memo" => "<redacted>",
            "device" => "<redacted>"
        );
    })
}

pub(super) fn spdlog(directory: &Path) -> Way {
    let file = FileSink::builder().path(directory.join("spdlog")).formatter(spdlog::formatter::JsonFormatter::new());
    let logger = spdlog::Logger::builder().sink(Arc::new(file.build().unwrap())).build().unwrap();
    let order = Order::example();
    Way::new("spdlog-rs JSON into a file", move || {
        let Order { cents, urgent, currency, to, .. } = &order;
        let (cents, urgent, currency, to) = (*cents, *urgent, currency.as_str(), to.as_str());
        let id = Uuid::now_v7();
        spdlog::info!(logger: logger, "audit", kv: {
            schema = 1, id:, kind = "call", stage = "completed", action = "account.transfer", decision = "allow",
            outcome = "success", latency_us = 3, actor_kind = "user", actor_id = "u-17", resource_kind = "account",
            resource_id = "acc-2020", tenant = "acme", source_ip = "203.0.113.7", user_agent = "acme-app/4.2",
            correlation_id = "req-01hv8k", cents, urgent, currency, to, memo = "<redacted>", device = "<redacted>"
        });
    })
}

pub(super) fn logforth(directory: &Path) -> Way {
    let file = logforth::append::file::FileBuilder::new(directory, "logforth")
        .layout(logforth::layout::JsonLayout::default())
        .build()
        .unwrap();
    let logger = logforth::core::builder().dispatch(|to| to.append(file)).build();
    let order = Order::example();
    Way::new("logforth JSON into a file", move || {
        let id = Uuid::now_v7();
        let pairs = [
            (Key::new("schema"), Value::u64(1)),
            (Key::new("id"), Value::display(&id)),
            (Key::new("kind"), Value::str("call")),
            (Key::new("stage"), Value::str("completed")),
            (Key::new("action"), Value::str("account.transfer")),
            (Key::new("decision"), Value::str("allow")),
            (Key::new("outcome"), Value::str("success")),
            (Key::new("latency_us"), Value::u64(3)),
            (Key::new("actor.kind"), Value::str("user")),
            (Key::new("actor.id"), Value::str("u-17")),
            (Key::new("resource.kind"), Value::str("account")),
            (Key::new("resource.id"), Value::str("acc-2020")),
            (Key::new("tenant"), Value::str("acme")),
            (Key::new("source.ip"), Value::str("203.0.113.7")),
            (Key::new("source.user_agent"), Value::str("acme-app/4.2")),
            (Key::new("correlation_id"), Value::str("req-01hv8k")),
            (Key::new("cents"), Value::u64(order.cents)),
            (Key::new("urgent"), Value::bool(order.urgent)),
            (Key::new("currency"), Value::str(&order.currency)),
            (Key::new("to"), Value::str(&order.to)),
            (Key::new("memo"), Value::str("<redacted>")),
            (Key::new("device"), Value::str("<redacted>")),
        ];
        let record = logforth::record::Record::builder()
            .level(logforth::record::Level::Info)
            .target("audit")
            .payload(format_args!("audit"))
            .key_values(&pairs[..])
            .build();
        logger.log(&record);
    })
}
