//! Code instead of values: events, parameters, identities, errors.

macro_rules! calls {
    ($($mark:tt)*) => {
        call_shapes! {
            events(p) {
                #[derive(AuditEvent)]
                #[event(prefix = "corpus", unlocked)]
                enum Event {
                    Struct { id: u8, #[$($mark)*] remark: Leaf, inner: Core },
                    Newtype(#[$($mark)*] Leaf),
                    Tuple(u8, #[$($mark)*] Leaf),
                    Core(Core),
                }

                #[derive(Sensitive)]
                struct Core { #[$($mark)*] remark: Leaf }
            } => {
                let events = [
                    Event::Struct { id: 1, remark: p.leaf("remark"), inner: Core { remark: p.leaf("inner.remark") } },
                    Event::Newtype(p.leaf("value")),
                    Event::Tuple(2, p.leaf("1")),
                    Event::Core(Core { remark: p.leaf("value.remark") }),
                ];
                move || events.iter().for_each(|event| assert!(record(event).wait().is_ok()))
            };

            parameters(p) {
                #[derive(Clone, Sensitive)]
                struct Body { #[$($mark)*] remark: Leaf, id: u8 }

                #[audited(
                    action = "corpus.sign_in", unlocked,
                    fields(remark, again = remark, body, part = hash(&body.remark[..15])),
                    ok_fields(|body| back = body.clone()),
                )]
                fn sign_in(#[$($mark)*] remark: Leaf, body: Body) -> Body {
                    drop(remark);
                    body
                }
            } => {
                let (remark, body) = (p.leaf::<Leaf>("remark"), Body { remark: p.leaf("body.remark"), id: 1 });
                move || drop(sign_in(remark.clone(), body.clone()))
            };

            async_parameters(p) {
                #[audited(action = "corpus.sign_in", unlocked, fields(remark, again = remark, trimmed = drop(remark.trim())), intent)]
                async fn sign_in(#[$($mark)*] remark: &Leaf) -> usize {
                    remark.len()
                }
            } => {
                let remark: Leaf = p.leaf("remark");
                move || {
                    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(sign_in(&remark));
                }
            };

            identities(p) {
                #[audited(action = "corpus.move", unlocked, actor = whoever, subject = whom, tenant = guild, resource("lane", lane))]
                fn relocate(
                    #[$($mark)*] whoever: &Leaf,
                    #[$($mark)*] whom: &Leaf,
                    #[$($mark)*] guild: &Leaf,
                    #[$($mark)*] lane: &Leaf,
                ) {
                    let _ = (whoever, whom, guild, lane);
                }
            } => {
                let ids: [Leaf; 4] = [p.leaf("actor"), p.leaf("subject"), p.leaf("tenant"), p.leaf("resource")];
                move || relocate(&ids[0], &ids[1], &ids[2], &ids[3])
            };

            errors(p) {
                #[derive(Clone, Deny, Sensitive)]
                #[sensitive(debug)]
                enum Error {
                    #[denied("not_yours")]
                    Denied { id: u8, #[$($mark)*] remark: Leaf },
                    #[failed]
                    Broken(#[$($mark)*] Leaf),
                }

                #[audited(action = "corpus.fail", unlocked)]
                fn fail(error: Error) -> Result<(), Error> {
                    tracing::warn!(?error, "about to fail");
                    Err(error)
                }
            } => {
                let errors = [Error::Denied { id: 1, remark: p.leaf("remark") }, Error::Broken(p.leaf("Broken"))];
                move || errors.iter().for_each(|error| drop(fail(error.clone()).unwrap_err()))
            };
        }
    };
}
