# Writes diagnostics-oracle.json by R's package posterior (Debian: r-cran-posterior), which does not share code with us:
#   Rscript test/algorithms/posterior/diagnostics-oracle.R > test/algorithms/posterior/diagnostics-oracle.json
suppressMessages(library(posterior))
set.seed(15)
ar <- function(n, rho) as.numeric(arima.sim(list(ar = rho), n))
cases <- list(
  independent = sapply(1:4, function(k) rnorm(60)),
  `slow chains, one of them elsewhere` = sapply(1:4, function(k) ar(80, 0.9) + (k == 3)),
  antithetic = sapply(1:3, function(k) ar(61, -0.7)),
  `read by an ADC of few bits` = sapply(1:4, function(k) round(2 * ar(50, 0.5)) / 2),
  `heavy tails` = sapply(1:2, function(k) rcauchy(70)),
  `one chain is wider` = sapply(1:4, function(k) rnorm(64) * ifelse(k == 1, 3, 1)),
  `one short chain that drifts` = matrix(1:13 + rnorm(13), ncol = 1)
)
number <- function(x) formatC(x, digits = 17, format = "g")
parts <- sapply(names(cases), function(name) {
  x <- matrix(as.numeric(formatC(cases[[name]], digits = 6, format = "g")), ncol = ncol(cases[[name]]))
  chains <- paste(apply(x, 2, function(column) paste0("[", paste(number(column), collapse = ","), "]")), collapse = ",")
  q <- quantile(x, c(0.05, 0.5, 0.95), names = FALSE)
  values <- c(mean = mean(x), sd = sd(as.numeric(x)), mcse = mcse_mean(x), q5 = q[1], median = q[2], q95 = q[3],
              essBulk = ess_bulk(x), essTail = ess_tail(x), rHat = rhat(x))
  fields <- paste0('"', names(values), '":', number(values), collapse = ",")
  sprintf('{"name":"%s","expected":{%s},"chains":[%s]}', name, fields, chains)
})
cat('{"posterior":"', as.character(packageVersion("posterior")), '","cases":[\n', paste(parts, collapse = ",\n"), "\n]}\n", sep = "")
