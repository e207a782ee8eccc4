//! Nothing sensitive leaves by a transaction.

use audited::testing::canary;
use audited::{AuditEvent, Sensitive, audited, record};
use serde::{Deserialize, Serialize};

use super::bank::{Answer, Bank, Error, Tx};

#[derive(Clone, Deserialize, Serialize, Sensitive)]
struct Transfer {
    cents: u64,
    #[sensitive]
    memo: String,
    #[sensitive(hash)]
    device: String,
}

#[derive(AuditEvent)]
#[event(prefix = "tx_canary", unlocked)]
enum Told {
    Transfer { body: Transfer },
}

fn sample() -> Transfer {
    Transfer { cents: 7, memo: "gift".into(), device: "phone".into() }
}

#[audited(action = "tx.canary", unlocked, fields(body), transaction = tx)]
async fn transfer(tx: &Tx<'_>, body: Transfer) -> Result<u64, Error> {
    tx.add(body.cents);
    Ok(body.cents)
}

#[tokio::test]
async fn what_is_in_the_store_is_redacted() {
    let bank = Bank::new();
    let tx = bank.begin();
    let report = canary(&sample()).without_record();
    let report = report
        .run(async |body| {
            record(&Told::Transfer { body: body.clone() }).in_transaction(&tx).await.unwrap();
            transfer(&tx, body).await
        })
        .await;
    tx.commit();
    let records = bank.records();
    assert_eq!(records.len(), 2);
    let mut report = report;
    for record in &records {
        let detail = record.detail().unwrap();
        assert!(detail.contains(r#""memo":"<redacted>""#) && detail.contains(r#""device":"hash:"#), "{detail}");
        report = report.saw("the store", record.json());
    }
    report.assert_clean().unwrap();
}

#[tokio::test]
async fn nothing_is_said_of_what_is_not_written() {
    let bank = Bank::new();
    let tx = bank.begin_with(Answer::Fail);
    let report = canary(&sample())
        .run(async |body| {
            let error = record(&Told::Transfer { body: body.clone() }).in_transaction(&tx).await.unwrap_err();
            transfer(&tx, body).await.unwrap();
            error
        })
        .await;
    assert_eq!(report.records().len(), 1);
    let report = report.and_debug();
    let text = report.result().unwrap().to_string();
    report.saw("the error", text).assert_clean();
}
