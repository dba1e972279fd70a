// The panel's looks, one style sheet for all pages. Both colour schemes keep text at a contrast of
// at least 4.5 to 1 (WCAG 2.2 §1.4.3). System fonts; nothing is loaded from elsewhere.

import Martlet

/// The style sheet.
enum Style {
  static var sheet: StaticString {
    """
    :root{color-scheme:light dark;
    --page:#f3f5f8;--card:#fff;--line:#dfe4ea;--text:#17212b;--soft:#56636f;
    --accent:#0b5cad;--accent-strong:#084a8c;--on-accent:#fff;--focus:#0b5cad;
    --good:#16703f;--good-back:#e3f5ea;--warn:#b26a00;--bad:#b3261e;--bad-back:#fdecea;
    --track:#e4e9ef;--shadow:0 1px 2px rgb(20 35 50/6%),0 4px 16px rgb(20 35 50/5%)}
    @media (prefers-color-scheme:dark){:root{
    --page:#0e141a;--card:#172029;--line:#2a3642;--text:#e7edf3;--soft:#a0aebb;
    --accent:#7cb7f5;--accent-strong:#a3cdfa;--on-accent:#0a1a2a;--focus:#a3cdfa;
    --good:#6fd29c;--good-back:#15362a;--warn:#f0b45a;--bad:#ffb4ab;--bad-back:#43201d;
    --track:#2a3642;--shadow:none}}
    *,*::before,*::after{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
    body{margin:0;min-height:100vh;min-height:100svh;display:flex;flex-direction:column;
    background:var(--page);color:var(--text);
    font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",sans-serif;
    overflow-wrap:anywhere}
    main{flex:1;width:100%;max-width:68rem;margin:0 auto;padding:1.75rem 1.25rem}
    footer{padding:1rem 1.25rem 1.5rem;text-align:center;font-size:.8125rem;color:var(--soft)}
    h1,h2,h3,p,dl,dd,ul{margin:0;padding:0}
    a{color:var(--accent)}
    a:hover{color:var(--accent-strong)}
    :focus-visible{outline:3px solid var(--focus);outline-offset:2px}

    .mark{width:1.75rem;height:1.75rem;flex:none;fill:var(--accent)}
    .mark path{fill:var(--on-accent)}
    .brand{display:flex;align-items:center;gap:.625rem;font-weight:700;font-size:1.0625rem;
    letter-spacing:-.01em;color:var(--text);text-decoration:none}
    .brand:hover{color:var(--text)}
    .brand.large{justify-content:center;font-size:1.375rem;margin-bottom:1.5rem}
    .brand.large .mark{width:2.25rem;height:2.25rem}

    .bar{background:var(--card);border-bottom:1px solid var(--line)}
    .bar-in{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem 1.75rem;
    max-width:68rem;margin:0 auto;padding:.625rem 1.25rem}
    .bar nav{display:flex;flex-wrap:wrap;gap:.25rem;flex:1}
    .bar nav a{padding:.4375rem .75rem;border-radius:.5rem;color:var(--soft);font-weight:500;
    text-decoration:none;white-space:nowrap}
    .bar nav a:hover{color:var(--text);background:var(--page)}
    .bar nav a[aria-current]{color:var(--text);background:var(--page)}
    .bar form{display:flex;align-items:center;gap:.875rem}
    .who{color:var(--soft);font-size:.9375rem}

    .title{margin-bottom:1.5rem}
    .title h1{font-size:1.875rem;line-height:1.2;font-weight:700;letter-spacing:-.02em}
    .facts{display:flex;flex-wrap:wrap;gap:.125rem 1.25rem;margin-top:.375rem;color:var(--soft)}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:1rem;
    margin-bottom:1rem}
    .tiles>div,.card{background:var(--card);border:1px solid var(--line);border-radius:.875rem;
    box-shadow:var(--shadow)}
    .tiles>div{padding:1rem 1.25rem}
    dt{font-size:.875rem;color:var(--soft)}
    dd{margin-top:.125rem;font-size:1.375rem;font-weight:600;letter-spacing:-.01em;
    font-variant-numeric:tabular-nums}
    .sub{color:var(--soft);font-weight:400}
    dd .sub{font-size:1rem;letter-spacing:0}
    .columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));
    gap:1rem;align-items:start}
    .card{padding:1.25rem}
    h2{font-size:1.0625rem;font-weight:600;letter-spacing:-.01em;margin-bottom:.75rem}
    .card p+h2{margin-top:1.75rem}
    h3{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 .625rem;font-size:.9375rem;
    font-weight:600;margin-bottom:.375rem}
    h3 .sub{font-size:.8125rem}
    .use{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;margin-top:.375rem;
    font-size:.875rem;font-variant-numeric:tabular-nums}
    .use+h3,.card p+h3{margin-top:1.125rem}
    .none{color:var(--soft)}
    .note{margin-top:.75rem;font-size:.8125rem;color:var(--soft)}

    .meter{display:block;width:100%;height:.5rem;border-radius:.25rem;background:var(--track)}
    .meter rect{height:100%;fill:var(--accent)}
    .meter .high{fill:var(--warn)}
    .meter .full{fill:var(--bad)}

    .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1rem}
    .plot{margin:0;display:grid;grid-template-columns:auto 1fr;gap:.375rem .625rem;
    font-size:.75rem;font-variant-numeric:tabular-nums}
    .plot figcaption{grid-column:1/-1;display:flex;flex-wrap:wrap;justify-content:space-between;
    align-items:baseline;gap:0 1rem;margin-bottom:.375rem}
    .plot h2{margin-bottom:.25rem}
    .key{list-style:none;display:flex;flex-wrap:wrap;gap:0 1rem;font-size:.875rem;color:var(--soft)}
    .key b{color:var(--text);font-weight:600}
    .key li::before{content:"";display:inline-block;width:1rem;margin-right:.375rem;vertical-align:middle;
    border-top:2px solid var(--accent)}
    .key .b::before{border-top:2px dashed var(--warn)}
    .scale,.time{display:flex;justify-content:space-between;color:var(--soft)}
    .scale{flex-direction:column;text-align:right;min-width:4rem;margin:-.5rem 0}
    .time{grid-column:2}
    .plot svg{display:block;width:100%;height:8rem;overflow:visible;border:solid var(--line);border-width:0 0 1px 1px}
    .plot path{fill:none;stroke:var(--accent);stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round;
    vector-effect:non-scaling-stroke}
    .plot .b{stroke:var(--warn);stroke-width:1.5;stroke-dasharray:4 3}
    .plot .grid{stroke:var(--line);stroke-width:1}
    .facts a[aria-current]{color:var(--text);font-weight:600;text-decoration:none}
    .live:empty{display:none}
    .caution.live,.problem.live{margin:1rem 0}

    .interface+.interface,.token+.token{margin-top:1rem;padding-top:1rem;border-top:1px solid var(--line)}
    .state{padding:.0625rem .5rem;border-radius:1rem;background:var(--track);color:var(--soft);
    font-size:.75rem;font-weight:500}
    .state.up{background:var(--good-back);color:var(--good)}
    .state.bad{background:var(--bad-back);color:var(--bad)}
    .addresses{list-style:none;font:.875rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,
    "Liberation Mono",monospace}

    .secret{display:block;margin:.75rem 0;padding:.75rem;border-radius:.5625rem;background:var(--track);
    font:.9375rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;user-select:all}
    summary{margin-top:.5rem;cursor:pointer;font-size:.875rem;color:var(--accent)}
    details .fields{margin-top:.5rem}
    .lead+.token,.lead+.none{margin-top:1rem}

    .door{justify-content:center}
    .door main{flex:none;max-width:26rem;padding-top:2rem}
    .door .card{padding:1.75rem}
    .card h1{font-size:1.375rem;line-height:1.25;letter-spacing:-.015em;margin-bottom:.25rem}
    .lead{color:var(--soft);margin-bottom:.25rem}
    .narrow{max-width:30rem;margin:0 auto;padding:1.75rem}
    .narrow+.narrow{margin-top:1rem}
    .fields{display:flex;flex-direction:column;margin-top:1.125rem}
    .fields label{font-size:.9375rem;font-weight:500;margin-bottom:.3125rem}
    .fields input:not([type=checkbox]):not([hidden]),.fields select{width:100%;padding:.5625rem .75rem;
    margin-bottom:1rem;font:inherit;color:inherit;background:var(--page);
    border:1px solid #7b8794;border-radius:.5625rem}
    .pair{display:grid;grid-template-columns:1fr 1fr;gap:0 1rem;align-items:start}
    .pair>div{display:flex;flex-direction:column}
    .fields input.code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;
    letter-spacing:.08em;text-transform:uppercase}
    .fields input::placeholder{color:var(--soft);opacity:1}
    .fields .hint{margin:-.6875rem 0 1rem;font-size:.8125rem;color:var(--soft)}
    .fields .check{display:flex;align-items:center;gap:.625rem;font-weight:400;
    margin:.125rem 0 1.25rem}
    .check input{width:1.125rem;height:1.125rem;margin:0;flex:none;accent-color:var(--accent)}
    button,.button{display:inline-block;padding:.625rem 1.125rem;font:inherit;font-weight:600;
    text-align:center;text-decoration:none;cursor:pointer;color:var(--on-accent);
    background:var(--accent);border:1px solid transparent;border-radius:.5625rem}
    button:hover,.button:hover{background:var(--accent-strong);color:var(--on-accent)}
    button.quiet{padding:.375rem .75rem;font-size:.9375rem;font-weight:500;color:var(--text);
    background:transparent;border-color:var(--line)}
    button.quiet:hover{background:var(--page);color:var(--text)}
    .buttons{display:flex;flex-wrap:wrap;gap:.75rem}
    .narrow .buttons>*{flex:1}
    .card>.buttons{margin-top:1.25rem}
    .problem,.done,.caution{margin:0 0 1rem;padding:.6875rem .875rem;border-radius:.5625rem;
    font-size:.9375rem}
    .card>.problem,.card>.done{margin:1rem 0 0}
    .problem{background:var(--bad-back);color:var(--bad)}
    .done{background:var(--good-back);color:var(--good)}
    .caution{background:var(--track)}
    .fields .problem{margin:-.6875rem 0 1rem;padding:0;background:none;font-weight:500}
    .fields .check+.problem{margin-top:-.9375rem}
    .fields [aria-invalid]:not([type=checkbox]){border-color:var(--bad)}
    .card>h1+p:not([class]){margin-top:.75rem}
    table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
    th,td{padding:.375rem 0;text-align:left;font-weight:400}
    th{color:var(--soft)}
    td{text-align:right}
    tr+tr{border-top:1px solid var(--line)}

    @media (max-width:36rem){
    main{padding:1.25rem 1rem}
    .bar-in{padding:.625rem 1rem;gap:.5rem 1rem}
    .bar .brand{flex:1}
    .bar nav{order:3;flex-basis:100%;gap:0}
    .bar nav a{padding:.4375rem .625rem}
    .who{max-width:9rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
    .title h1{font-size:1.5rem}
    .tiles{grid-template-columns:1fr 1fr;gap:.75rem}
    .tiles>div{padding:.75rem 1rem}
    .tiles>div:last-child:nth-child(odd){grid-column:1/-1}
    dd{font-size:1.1875rem}
    .door .card,.narrow{padding:1.25rem}}

    """
  }
}
