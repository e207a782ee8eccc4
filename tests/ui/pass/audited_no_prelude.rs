//! The expansion names nothing by its short name.

#![no_implicit_prelude]
#![deny(warnings)]

extern crate audited as renamed;

mod inner {
    pub enum Error {
        Refused,
    }

    impl ::audited::Deny for Error {
        fn deny(&self) -> ::audited::Verdict {
            ::audited::Verdict::failure("broken")
        }
    }

    impl ::core::convert::From<::audited::Refusal> for Error {
        fn from(_: ::audited::Refusal) -> Self {
            Self::Refused
        }
    }

    type Result = ::core::result::Result<u32, Error>;

    #[::audited::audited(action = "a.b", actor = number, resource("a", number), fields(number), require = true, fail_closed)]
    pub fn sync(number: u32) -> Result {
        Result::Ok(number)
    }

    #[::audited::audited(action = "a.b", tenant = number, fields(number), ok_fields(|value| value), require = true, fail_closed)]
    pub async fn asynchronous((number, _): (u32, u32)) -> Result {
        Result::Ok(number)
    }

    #[::audited::audited(fields(number), intent, errors = denied("no"))]
    pub fn boxed(
        number: u32,
    ) -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = Result> + ::core::marker::Send>> {
        ::std::boxed::Box::pin(async move { Result::Ok(number) })
    }

    #[must_use]
    #[crate::renamed::audited(crate = crate::renamed, outcome = |_| ::audited::Verdict::success())]
    pub async fn kept(self::Number(number): self::Number) -> u32 {
        number
    }

    #[::audited::audited(crate = crate::renamed)]
    pub async fn never() -> ! {
        loop {}
    }

    pub struct Number(pub u32);

    pub struct Tx;

    impl ::audited::AuditTransaction for Tx {
        async fn write(&self, _: &::audited::Record) -> ::core::result::Result<(), ::audited::SinkError> {
            ::core::result::Result::Ok(())
        }
    }

    #[::audited::audited(action = "a.c", fields(number), transaction = tx, require = true, fail_closed)]
    pub fn within(number: u32, tx: &Tx) -> Result {
        Result::Ok(number)
    }

    #[::audited::audited(action = "a.d", transaction = tx, intent)]
    pub async fn asynchronous_within(number: u32, tx: &Tx) -> Result {
        Result::Ok(number)
    }

    #[::audited::audited(action = "a.e", transaction = tx)]
    pub fn boxed_within<'t>(
        tx: &'t Tx,
    ) -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = Result> + 't>> {
        ::std::boxed::Box::pin(async move { tx.number() })
    }

    impl Tx {
        fn number(&self) -> Result {
            Result::Ok(1)
        }
    }
}

async fn calls() {
    ::core::mem::drop(inner::sync(1));
    ::core::mem::drop(inner::asynchronous((1, 2)).await);
    ::core::mem::drop(inner::boxed(1).await);
    ::core::mem::drop(inner::within(1, &inner::Tx));
    ::core::mem::drop(inner::asynchronous_within(1, &inner::Tx).await);
    ::core::mem::drop(inner::boxed_within(&inner::Tx).await);
    _ = inner::kept(inner::Number(1)).await;
    inner::never().await
}

fn main() {
    ::core::mem::drop(calls());
}
